"""`make bench`, or `python -m tests.bench NAME…` for some figures only; the others keep their entries in the file.

Twelve minutes at most on two cores; `--full` takes the numbers of a consortium and of three years, and an hour.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable

from tests.bench import days, dispatch, libraries, pages, retention, rights, workers
from tests.bench.bed import Bed
from tests.bench.ils import figures as ils
from tests.bench.report import FILE, NAMES, ROOT, Figure, save, table
from tests.bench.sizes import FULL, QUICK

CASES: tuple[tuple[tuple[str, ...], Callable[[Bed], list[Figure]]], ...] = (
    (("generation",), dispatch.generation),
    (("email_dispatch", "smtp_step"), dispatch.email_dispatch),
    (("two_workers",), workers.two_workers),
    (("sms_dispatch",), dispatch.sms_dispatch),
    (("letters", "letters_memory"), dispatch.letters),
    (("scale_100k_time", "scale_100k_memory"), days.scale),
    (("dag_parse",), days.dag_parse),
    (("ordinary_day",), days.ordinary_day),
    (ils.NAMES, ils.large_library),
    (("pages_p95", "year_drawn_anew", "first_page_size"), pages.pages),
    (("reader_rights",), rights.rights),
    (("retention_night", "retention_growth"), retention.retention),
    (("libraries_parse", "libraries_morning", "libraries_memory"), libraries.libraries),
)
"""What is measured together, and by what."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"figures to measure: {', '.join(NAMES)}")
    parser.add_argument("--full", action="store_true", help="the large numbers, which take an hour")
    options = parser.parse_args()
    wanted = set(options.names)
    if unknown := wanted.difference(NAMES):
        parser.error(f"no figure is called {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers and folders go, too
    figures: list[Figure] = []
    began = time.monotonic()
    with Bed(FULL if options.full else QUICK) as bed:
        for names, measure in CASES:
            if wanted and not wanted.intersection(names):
                continue
            since = time.monotonic()
            figures += measure(bed)
            sys.stderr.write(f"{', '.join(names)}: measured in {time.monotonic() - since:.0f} s\n")
            save(figures)
    print(table(figures))
    print(f"\n{time.monotonic() - began:.0f} s in all; written to {FILE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
