"""The final text of a statement in `sql/`: each of its choices replaced by the form that the settings name.

A statement marks the few pieces that no bind can change, such as the name of a column, and writes down every form
that they may have. The file stays SQL that a database administrator can run as it is: the first form is in force, the
others are comments.

    /*{due_date:Z36_DUE_DATE*/ z36.z36_due_date /*|Z36_EFFECTIVE_DUE_DATE: z36.z36_effective_due_date }*/

Settings only ever name a form, they are never part of the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from loan_reminders.domain.errors import SettingsError

_CHOICE = re.compile(r"/\*\{(?P<name>\w+):(?P<first>\w+)\*/(?P<text>.*?)/\*(?P<others>\|(?:(?!\*/).)*)\}\*/", re.DOTALL)
_OTHER = re.compile(r"\|(\w+):([^|]*)")


def offered(sql: str) -> dict[str, tuple[str, ...]]:
    """The choices of a statement: the names of the forms of each, the one in force first."""
    found: dict[str, tuple[str, ...]] = {}
    for choice in _CHOICE.finditer(sql):
        forms = tuple(_forms(choice))
        if found.setdefault(choice["name"], forms) != forms:
            raise ValueError(f"the choice {choice['name']} has other forms in another place")
    return found


def final_text(sql: str, chosen: Mapping[str, str] | None = None) -> str:
    """The statement with the chosen form of each choice; one that `chosen` does not name keeps its first.

    Raises SettingsError naming the forms there are when `chosen` names another.
    """
    wanted = chosen or {}

    def form(choice: re.Match[str]) -> str:
        forms = _forms(choice)
        name = wanted.get(choice["name"], choice["first"])
        if name not in forms:
            raise SettingsError(f"{choice['name']} = {name!r} : valeurs permises : {', '.join(forms)}")
        return forms[name]

    return _CHOICE.sub(form, sql)


def _forms(choice: re.Match[str]) -> dict[str, str]:
    others = {name: text.strip() for name, text in _OTHER.findall(choice["others"])}
    return {choice["first"]: choice["text"].strip(), **others}
