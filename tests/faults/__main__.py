"""`make faults`, or `python -m tests.faults [--repetitions N] [WORD…]` for the cases whose names hold a word only."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

from tests.faults.bed import Bed
from tests.faults.cases import KILLS, REAL, Case
from tests.faults.neighbours import NEIGHBOURS
from tests.faults.report import FILE, Line, save, table
from tests.faults.scene import Outcome
from tests.faults.tasks import ROOT
from tests.faults.troubles import TROUBLES

REPETITIONS = 20
AT_WORK, WAITING = 3, 24
"""Cases played side by side: those that work, and those that mostly wait."""


class Progress:
    """Says on the standard error how far the cases are."""

    def __init__(self, plays: int) -> None:
        self._plays, self._done = plays, 0
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def played(self, case: Case, came: Outcome | str) -> None:
        with self._lock:
            self._done += 1
            wrong = isinstance(came, str) or not came.right
            if wrong or self._done % 20 == 0 or self._done == self._plays:
                seconds = time.monotonic() - self._began
                what = f"{case}: {came}" if wrong else str(case)
                sys.stderr.write(f"{self._done}/{self._plays} after {seconds:.0f} s, {what}\n")


def play_all(bed: Bed, cases: Sequence[Case], repetitions: int) -> list[Line]:
    """Every case so many times."""
    progress = Progress(len(cases) * repetitions)

    def play(case: Case, repetition: int) -> Outcome | str:
        try:
            came: Outcome | str = case.play(bed, repetition, REAL)
        except Exception as error:  # the other cases are worth their figures all the same
            came = f"{type(error).__name__}: {error}"
        progress.played(case, came)
        return came

    played: dict[Case, list[Future[Outcome | str]]] = {case: [] for case in cases}
    for channel in {case.channel for case in cases}:
        bed.ready(channel)
    together = (case for case in cases if not case.alone)
    by_turns = sorted(together, key=lambda case: not case.patient)
    with _pool(AT_WORK) as busy, _pool(WAITING) as patient:
        for case in by_turns:
            pool = patient if case.patient else busy
            played[case] = [pool.submit(play, case, number) for number in range(repetitions)]
        wait([future for futures in played.values() for future in futures])
    with _pool(1) as one:
        for case in cases:
            if case.alone:
                played[case] = [one.submit(play, case, number) for number in range(repetitions)]
        wait([future for futures in played.values() for future in futures])
    return [Line.of(case, [future.result() for future in played[case]]) for case in cases]


@contextmanager
def _pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that begin nothing more once the block is left."""
    pool = ThreadPoolExecutor(workers)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    asked = parser.parse_args()
    every = (*KILLS, *TROUBLES, *NEIGHBOURS)
    cases = [case for case in every if not asked.words or any(word in str(case) for word in asked.words)]
    if not cases:
        parser.error(f"the cases are {', '.join(map(str, every))}")
    began = time.monotonic()
    with Bed() as bed:
        lines = play_all(bed, cases, asked.repetitions)
    print(table(lines))
    print(f"\n{time.monotonic() - began:.0f} s in all")
    if len(cases) == len(every):
        save(lines)
        print(f"written to {FILE.relative_to(ROOT)}")
    return 0 if all(line.right for line in lines) else 1


if __name__ == "__main__":
    raise SystemExit(main())
