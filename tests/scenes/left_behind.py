"""What is left behind where nobody looks for it, and a walk over all pages with a reader's data in every form."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.scenes import unmistakable
from tests.scenes.unmistakable import DIGITS, WORD, found
from tests.web.client import calls, routes

SIMULATORS = ("mail.log", "aiosmtpd", "asyncio", "tests.")
"""Loggers of the servers that play the outside world in this process: theirs is not our log."""
THERE = (
    f"SELECT (SELECT min(reader_number) FROM readers WHERE patron_id ILIKE '{WORD}%'),"
    " (SELECT max(batch_id) FROM letter_batches), (SELECT max(run_id) FROM runs)"
)
"""A reader of those, a batch and a run that a ledger knows."""
FORM: Mapping[str, str] = {
    "lecteur": unmistakable.reader(1).patron_id, "pret": "QXZVKWPRET1", "recherche": unmistakable.reader(1).name,
    "numero": f"0{DIGITS}01", "motif": f"dit {unmistakable.reader(1).name}", "valeur": f"{WORD}@ailleurs.example.org",
    "quoi": "email", "canal": "email", "forme": "json", "reference": WORD, "jusqu_au": "2001-01-01",
    "detail": unmistakable.reader(1).name, "texte": unmistakable.reader(1).name,
}  # fmt: skip
"""What a librarian may write about one of those readers, in any field of any form."""


class Kept(logging.Handler):
    """Every line of every log of ours, with the words of its exception."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(pathname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(SIMULATORS):
            self.lines.append(self.format(record))


class Left:
    """All that was left behind, by where; and the tasks that ended."""

    def __init__(self) -> None:
        self.said: list[tuple[str, bytes]] = []
        self.ran: set[str] = set()

    def keep(self, where: str, what: object) -> None:
        content = what if isinstance(what, bytes) else str(what).encode("utf-8", "replace")
        self.said.append((where, content))

    def personal(self) -> list[tuple[str, list[bytes]]]:
        """Where one of those readers was found, with what was found of him."""
        return [(where, sorted(found(content))[:3]) for where, content in self.said if found(content)]


def walk(left: Left, request: Callable[..., Any], there: Mapping[str, int]) -> None:
    """Ask for every route, known things (`there`) and unknown ones, each form filled; keep what may hold no reader."""
    for route in routes():
        for method, path in calls(route):
            known = re.sub(r"{(\w+)}", lambda name: str(there.get(name[1], 1)), route.path)
            for where in {path, known}:
                answer = request(method, where, data=FORM if method == "POST" else None)
                left.keep(f"headers of {method} {route.path}", repr(dict(answer.headers)))
                left.keep(f"address of {method} {route.path}", str(answer.url))
                if answer.status_code >= 500:
                    # a reader's own page comes back with what is wrong at its head
                    said = re.findall(r'<p class="problem".*?</p>', answer.text, re.DOTALL)
                    left.keep(f"error of {path}", repr(said) if "/lecteurs/" in path else answer.content)
