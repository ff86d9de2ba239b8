"""Makes the fictional library of Montclar, seeded, dated around any day.

    python -m sql.demo.generator --database FILE --today 2026-03-02 [--seed N] [--scale 0.1]
    python -m sql.demo.generator --oracle-sql FILE --today 2026-03-02 --scale 0.1 [--ils voyager]

12,000 readers, 7,500 loans, 5,000 titles, 4 branches. Whatever the weekday, about 410 loans fall due in two days,
165 did yesterday, 50 a week ago, 20 a fortnight ago and 7 three weeks ago; the days around carry about as many.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from random import Random

from sql.demo.loans import add_loans, add_oddities
from sql.demo.oracle_script import write_script
from sql.demo.oracle_systems import SYSTEMS
from sql.demo.people import add_readers
from sql.demo.tables import Library, write_sqlite, write_tables

SEED = 20260302
PATRONS = 12_000
LOANS = 7_500
STAGE_LOANS: Mapping[int, int] = {2: 410, -1: 165, -8: 50, -15: 20, -21: 7}
"""Loans by due day, in days from today, at the usual size."""
LAST_DUE, OLDEST_DUE = 28, -60


def build_library(
    path: Path,
    *,
    today: date,
    seed: int = SEED,
    patrons: int = PATRONS,
    loans: int = LOANS,
    due_loans: Mapping[int, int] | None = None,
) -> None:
    """Write the library into an SQLite file, replacing it.

    `due_loans` sets the number of loans of some due days (days from today) beside the usual ones, for benchmarks.
    The same arguments give the same rows.
    """
    write_sqlite(path, make_library(today=today, seed=seed, patrons=patrons, loans=loans, due_loans=due_loans))


def make_library(
    *,
    today: date,
    seed: int = SEED,
    patrons: int = PATRONS,
    loans: int = LOANS,
    due_loans: Mapping[int, int] | None = None,
) -> Library:
    """The rows of the library; see `build_library`."""
    rng = Random(seed)
    library = Library()
    readers = add_readers(library, rng, count=patrons, today=today)
    odd = add_oddities(library, today=today)
    wanted = loans_by_due_day(loans, rng) | dict(due_loans or {})
    add_loans(
        library,
        rng,
        readers,
        today=today,
        by_day={day: max(count - odd.get(day, 0), 0) for day, count in wanted.items()},
    )
    return library


def loans_by_due_day(total: int, rng: Random) -> dict[int, int]:
    """How many open loans fall due on each day around today.

    Late loans melt away between the anchors of `STAGE_LOANS`; loans to come thin out after a week, and share what
    the total leaves.
    """
    scale = total / LOANS
    anchors = sorted(((day, count) for day, count in STAGE_LOANS.items() if day < 0), reverse=True)
    expected: dict[int, float] = dict.fromkeys(range(8), float(STAGE_LOANS[2]))
    for (near, more), (far, fewer) in pairwise([*anchors, (OLDEST_DUE, 1)]):
        for day in range(near, far - 1, -1):
            expected[day] = more * math.pow(fewer / more, (near - day) / (near - far))
    rest = max(total / scale - sum(expected.values()), 0) if total else 0
    weights = {day: LAST_DUE + 2 - day for day in range(8, LAST_DUE + 1)}
    expected |= {day: rest * weight / sum(weights.values()) for day, weight in weights.items()}
    return {
        day: round(count * scale * (1 if day in STAGE_LOANS else rng.uniform(0.94, 1.06)))
        for day, count in sorted(expected.items())
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Makes the fictional library")
    parser.add_argument("--database", type=Path, help="SQLite file to write")
    parser.add_argument("--oracle-sql", type=Path, help="SQL*Plus script to write")
    parser.add_argument("--ils", choices=sorted(SYSTEMS), default="aleph", help="whose tables")
    parser.add_argument("--oracle-schema", default="ILS", help="owner of the tables in the script")
    parser.add_argument("--today", type=date.fromisoformat, required=True, help="the day the loans lie around")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 12,000 readers and 7,500 loans")
    options = parser.parse_args()
    if not options.database and not options.oracle_sql:
        parser.error("say --database or --oracle-sql")
    library = make_library(
        today=options.today,
        seed=options.seed,
        patrons=max(round(PATRONS * options.scale), 1),
        loans=round(LOANS * options.scale),
    )
    system = SYSTEMS[options.ils]
    rows, views = system.rows(library, options.today), system.view_statements()
    if options.database:
        write_tables(options.database, system.schema, rows, views=views)
    if options.oracle_sql:
        write_script(options.oracle_sql, system.schema, rows, views=views, schema=options.oracle_schema)
    print(", ".join(f"{table} {len(found)}" for table, found in rows.items()))


if __name__ == "__main__":
    main()
