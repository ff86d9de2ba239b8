"""A night's removal of many loan cycles on a ledger of three years: its time and memory.

The baseline removes the deliveries of as many other cycles by one plain DELETE, in one long transaction: what hangs on
them goes by the same foreign keys.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from loan_reminders.settings.library_toml import settings
from tests.bench.bed import Bed
from tests.bench.clock import Clock
from tests.bench.report import SHOWN, Figure
from tests.bench.sampler import Sampler
from tests.bench.watch import peak_mb
from tests.simulators.postgres import EmbeddedPostgres

# As after a year of nights: every loan is asked about, and those of one night have just come to their term.
_ALL_OPEN = "UPDATE loan_ends SET open_on = date '{today}', ended_on = NULL, how = NULL"
_TONIGHTS = """
    UPDATE loan_ends SET ended_on = date '{ended}', how = 'returned' WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM loan_ends WHERE due_date < date '{ended}' ORDER BY due_date DESC, loan_id LIMIT {cycles}
    ))
"""
_PLAIN = """
    DELETE FROM deliveries WHERE delivery_id IN (
        SELECT delivery_id FROM delivery_loans WHERE loan_id IN (
            SELECT loan_id FROM loan_ends WHERE due_date < date '{ended}' - 60 ORDER BY due_date DESC LIMIT {cycles}
        )
    )
"""


def retention(bed: Bed) -> list[Figure]:
    """Seconds of the night, and by how many megabytes its process grew from the first page to the last."""
    cycles = bed.sizes.cycles_removed
    today = datetime.now(settings().zone).date()
    ended = today - timedelta(days=125)
    ready = bed.large_ledger(today)
    for statement in (_ALL_OPEN, _TONIGHTS, "VACUUM ANALYZE"):
        said = statement.format(today=today, ended=ended, cycles=cycles)
        bed.postgres.execute(said, database=ready)
    database = bed.ledger(ready)
    plain = _seconds(bed.postgres, database, _PLAIN.format(ended=ended, cycles=cycles))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, removed, before, after, *_ = pool.apply(_night, (bed.postgres.url(database), today))
    bed.drop(database)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        *_, steps, grown = pool.apply(_night, (bed.postgres.url(ready), today, True))
    bed.drop(ready)
    remark = f"{removed['loans']} cycles, {removed['messages']} messages, {removed['readers']} readers"
    return [
        Figure(name="retention_night", value=seconds, unit="s", baseline=plain, remarks=(remark,), steps=tuple(steps)),
        Figure(
            name="retention_growth",
            value=after - before,
            unit="MB",
            baseline=before,
            remarks=("megabytes from the first page to the last; baseline: what was there before the first",),
            steps=tuple(grown),
        ),
    ]


def _seconds(server: EmbeddedPostgres, database: str, statement: str) -> float:
    since = time.monotonic()
    server.execute(statement, database=database)
    return time.monotonic() - since


def _night(
    url: str, today: date, looked_into: bool = False
) -> tuple[float, dict[str, int], float, float, list[str], list[str]]:
    """The real passage, in a process of its own, once a single page of it has warmed everything up.

    Looked into, it says which steps took most and which lines of Python hold most of what stayed.
    """
    from loan_reminders.domain.retention.terms import Terms
    from loan_reminders.gateways.letters.letter_store import FolderLetterStore
    from loan_reminders.ledger.connect import connect
    from loan_reminders.ledger.removal.removal import LOANS, PostgresRetention
    from loan_reminders.services.retention.erase import erase_expired

    terms = Terms.on(today, loan_months=4, reader_months=12)
    with connect(url, library=settings().library.code) as ledger, tempfile.TemporaryDirectory() as folder:
        ours = ledger.part(PostgresRetention)
        ours.remove(LOANS, terms, after=None, rehearse=True, who="")
        before, clock = peak_mb(), Clock(Sampler() if looked_into else None)
        store = FolderLetterStore(Path(folder))
        if looked_into:
            tracemalloc.start()
        with clock:
            removed = erase_expired(ours, ledger.loan_ends(), store, terms=terms, now=datetime.now(UTC), rehearse=False)
        grown = _held() if looked_into else []
        return clock.seconds, removed.counts(), before, peak_mb(), clock.steps, grown


def _held() -> list[str]:
    """The lines of Python that hold most, with their shares of all that is held."""
    held = tracemalloc.take_snapshot().statistics("lineno")
    whole = sum(one.size for one in held) or 1
    return [
        f"{100 * one.size / whole:.0f} % {'/'.join(Path(str(one.traceback[0])).parts[-3:])}" for one in held[:SHOWN]
    ]
