"""The same day on Celery workers three times: on one, on two, and on two of which one is killed while it sends.

`make workers`, or `python -m tests.e2e.several_workers --notices 10000`. All three must tell the same readers the same,
and two workers must be quicker than one. A quarter of an hour.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from loan_reminders.settings.library_toml import settings
from tests.e2e.celery_installation import CeleryInstallation
from tests.e2e.day_on_workers import SENDING, Day, live
from tests.e2e.reached import Reached, Told, reached, told

WORKERS = ("w1", "w2")
SAMPLE, FULL = 1_300, 10_000
LATENCY_S = 0.02
"""What an answer of the mail server takes."""

EACH = 8
"""SMTP connections of a worker, the usual setting: a second worker brings as many again."""

GAIN = 1.7
"""What two workers are worth at least, in workers."""

TIMEOUT = 900


@contextmanager
def installed(
    *,
    today: date,
    notices: int,
    workers: tuple[str, ...] = WORKERS,
    connections: int = EACH,
    latency_s: float = LATENCY_S,
    discard: bool = False,
) -> Iterator[CeleryInstallation]:
    """One in a folder of its own, which goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="lr-", dir="/tmp"))
    try:
        with CeleryInstallation(
            folder, today=today, notices=notices, workers=workers, connections=connections, latency_s=latency_s,
            discard=discard,
        ) as installation:  # fmt: skip
            yield installation
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """A day, who was told what, and what reached them where the mail server keeps its mails."""

    day: Day
    told: Told
    emails: int
    found: Reached | None = None

    @property
    def pace(self) -> float:
        """E-mails a second of the first stage."""
        return self.emails / self.day.sending_s

    @property
    def right(self) -> bool:
        """Whether every run is green and everybody was told."""
        return set(self.day.states.values()) == {"success"} and (self.found is None or self.found.right)


def lived(today: date, *, notices: int, workers: tuple[str, ...] = WORKERS, kill: bool = False) -> Lived:
    """That day, on an installation of its own."""
    began = time.monotonic()
    with installed(today=today, notices=notices, workers=workers, discard=not kill) as installation:
        day = live(installation, timeout=TIMEOUT, kill=kill)
        who = told(installation)
        found = reached(installation) if kill else None
    emails = sum(1 for stage, _, channel, _ in who if (stage, channel) == (SENDING.value, "email"))
    print(f"{', '.join(workers)}: {day}, {found}, {time.monotonic() - began:.0f} s in all", flush=True)
    return Lived(day=day, told=who, emails=emails, found=found)


def otherwise(one: Told, other: Told) -> str:
    """How many messages differ between two days, by stage, channel and state."""
    kinds = Counter((stage, channel, state) for stage, _, channel, state in one ^ other)
    listed = ", ".join(f"{count} {' '.join(kind)}" for kind, count in sorted(kinds.items()))
    return f"{len(one ^ other)} ({listed})" if kinds else "0"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notices", type=int, default=FULL)
    parser.add_argument("--killed-only", action="store_true", help="only the day on which a worker is killed")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    today = datetime.now(settings().zone).date()
    killed = lived(today, notices=asked.notices, kill=True)
    if asked.killed_only:
        return 0 if killed.right else 1
    one = lived(today, notices=asked.notices, workers=WORKERS[:1])
    two = lived(today, notices=asked.notices)
    gain = two.pace / one.pace
    print(f"one worker {one.pace:.0f} e-mails/s, two {two.pace:.0f}: {gain:.2f} (wanted: {GAIN})")
    print(f"told: {len(one.told)} messages; otherwise on two: {otherwise(one.told, two.told)},")
    print(f"otherwise with one of two killed: {otherwise(one.told, killed.told)}")
    same = one.told == two.told == killed.told
    return 0 if one.right and two.right and killed.right and same and gain >= GAIN else 1


if __name__ == "__main__":
    raise SystemExit(main())
