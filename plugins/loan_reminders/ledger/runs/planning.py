"""The transaction that plans a run."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, Table, select, text

from loan_reminders.domain.errors import LedgerRefusal, LedgerRefused, PermanentError
from loan_reminders.domain.loans import Loan, SmsChoice
from loan_reminders.domain.notices import Delivery, History, LoanKey, Refused, Skip
from loan_reminders.domain.ports.outside import Run
from loan_reminders.domain.recipients import Recipient
from loan_reminders.domain.runs.holds import Held
from loan_reminders.domain.suppressions.suppression import Suppressed
from loan_reminders.ledger import tables
from loan_reminders.ledger.faults import ledger_errors
from loan_reminders.ledger.json_codecs import decode_loan, encode_recipient
from loan_reminders.ledger.readers.held import held
from loan_reminders.ledger.runs.claims import Claims
from loan_reminders.ledger.statistics.counting import count_again
from loan_reminders.ledger.suppressions import suppression_list as suppressions
from loan_reminders.ledger.suppressions.consents import choices_of
from loan_reminders.ledger.suppressions.failing_contacts import note_planned
from loan_reminders.ledger.tables import loans_seen, runs

READERS_IN_A_PAGE = 500
ROWS_AT_A_TIME = 2_000

_MARK_PLANNED = text("""
    UPDATE runs SET planned_at = now(), state = 'planned', deliveries_planned = deliveries_planned + :planned
    WHERE run_id = :run_id
""")

Rows = tuple[tuple[str, ...], Iterable[Sequence[Any]]]
"""Column names, and rows of their values."""


def copy_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows by PostgreSQL's COPY, within the connection's transaction."""
    statement = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN"
    with connection.connection.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[attr-defined]
        for row in rows:
            copy.write_row(row)


class PostgresPlanning:
    """Plans one run, all or nothing: leaving the block without an error marks the run planned and commits.

    A run planned before has nothing left to plan: `patrons` gives no page, so a repeated task changes nothing.
    """

    def __init__(self, engine: Engine, run: Run, *, library: str) -> None:
        self._engine = engine
        self._run = run
        self._library = library
        self._connection: Connection | None = None
        self._pages: Generator[Sequence[Sequence[Loan]]] | None = None
        self._planned = 0
        self._left_by: set[int] = set()
        self._done_before = False
        self._mark = _MARK_PLANNED

    def __enter__(self) -> Self:
        with ledger_errors():
            self._connection = self._engine.connect()
            try:
                row = self._connection.execute(
                    select(runs.c.planned_at, runs.c.loans_extracted)
                    .where(runs.c.run_id == self._run.run_id)
                    .with_for_update(key_share=True)
                ).one()
                if row.loans_extracted is None:
                    raise LedgerRefused(LedgerRefusal.NOT_READ_TO_PLAN, run_id=self._run.run_id)
            except BaseException:
                self._connection.close()
                raise
        self._done_before = row.planned_at is not None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connection = self._open()
        with ledger_errors():
            try:
                if self._pages is not None:
                    self._pages.close()
                if kind is None and not self._done_before:
                    connection.execute(self._mark, {"planned": self._planned, "run_id": self._run.run_id})
                    count_again(connection, self._library, self._left_by)
                    if not self._run.dry_run:
                        note_planned(connection, self._library, self._run.run_id)
                    connection.commit()
            finally:
                self._connection = None
                connection.close()

    def _open(self) -> Connection:
        if self._connection is None:
            raise PermanentError("Planning is used outside its block.")
        return self._connection

    def patrons(self) -> Iterator[Sequence[Sequence[Loan]]]:
        """Pages of readers with their loans, streamed from the server: memory does not grow with the run."""
        self._open()
        if self._pages is not None:
            self._pages.close()
        self._pages = self._read_pages()
        return self._pages

    def _read_pages(self) -> Generator[Sequence[Sequence[Loan]]]:
        if self._done_before:
            return
        query = (
            select(loans_seen.c.patron_id, loans_seen.c.record)
            .where(loans_seen.c.run_id == self._run.run_id)
            .order_by(loans_seen.c.patron_id.collate("C"), loans_seen.c.seq)
            .execution_options(yield_per=ROWS_AT_A_TIME)
        )
        with ledger_errors(), self._engine.connect() as connection, connection.execute(query) as rows:
            readers = (
                tuple(decode_loan(row.record) for row in loans)
                for _, loans in groupby(rows, key=lambda row: row.patron_id)
            )
            while page := tuple(islice(readers, READERS_IN_A_PAGE)):
                yield page

    def _claims(self) -> Claims:
        return Claims(connection=self._open(), run=self._run, library=self._library)

    def history(self, keys: Sequence[LoanKey]) -> History:
        """The live claims on these loans at this run's stage, this plan's own included.

        What it calls `planned` stays so until the block ends: no sender can take it, `adopt` finds it. A cycle that
        was removed from the ledger is told by no stage: each slot of it is taken.
        """
        with ledger_errors():
            return self._claims().history(keys) if keys else {}

    def refused(self, keys: Sequence[LoanKey]) -> Refused:
        """The recipients that refused this stage's message about these loans, or bounced it, in an earlier run."""
        with ledger_errors():
            return self._claims().refused(keys) if keys else {}

    def suppressed(self, recipients: Sequence[Recipient]) -> Suppressed:
        """Those of these recipients that are not written to any more, and how a loan is skipped for each."""
        with ledger_errors():
            return suppressions.suppressed(self._open(), self._library, recipients)

    def sms_choices(self, patron_ids: Sequence[str]) -> Mapping[str, SmsChoice]:
        """What those of these readers who are on the librarians' list said about SMS."""
        with ledger_errors():
            return choices_of(self._open(), self._library, patron_ids)

    def held(self, patron_ids: Sequence[str]) -> Held:
        """What a librarian said not to write about, of these readers, on the day of this run."""
        with ledger_errors():
            return held(self._open(), self._library, patron_ids, self._run.today)

    def adopt(self, keys: Sequence[LoanKey]) -> int:
        """Move to this run what another run of the stage left behind for these loans: waiting, or cut short.

        Returns their number; the other runs' books lose them. A dry run adopts nothing.
        """
        if not keys or self._run.dry_run or self._done_before:
            return 0
        with ledger_errors():
            former = self._claims().adopt(keys)
        moved = sum(former.values())
        self._left_by.update(former)
        self._planned += moved
        return moved

    def record(self, deliveries: Sequence[Delivery], skips: Sequence[Skip]) -> None:
        """Write notices, deliveries, claims and skips. Raises LedgerUnavailable when another run holds a claim."""
        if not deliveries and not skips:
            return
        if self._done_before:
            raise LedgerRefused(LedgerRefusal.ALREADY_PLANNED, run_id=self._run.run_id)
        connection = self._open()
        with ledger_errors():
            copy_rows(connection, tables.notices, *self._notices(deliveries))
            copy_rows(connection, tables.deliveries, *self._deliveries(deliveries))
            copy_rows(connection, tables.delivery_loans, *self._claimed(deliveries))
            copy_rows(connection, tables.skips, *self._skips(skips))
        self._planned += len(deliveries)

    def _notices(self, deliveries: Sequence[Delivery]) -> Rows:
        notices = {delivery.notice.notice_id: delivery.notice for delivery in deliveries}
        return ("notice_id", "library", "run_id", "stage", "patron_id", "due_date", "language", "loan_ids"), (
            (
                notice.notice_id,
                self._library,
                self._run.run_id,
                notice.stage.value,
                notice.patron.patron_id,
                notice.due_date,
                notice.patron.language,
                [loan.loan_id for loan in notice.loans],
            )
            for notice in notices.values()
        )

    def _deliveries(self, deliveries: Sequence[Delivery]) -> Rows:
        return ("delivery_id", "library", "run_id", "notice_id", "stage", "channel", "slot", "recipient"), (
            (
                delivery.delivery_id,
                self._library,
                self._run.run_id,
                delivery.notice.notice_id,
                delivery.notice.stage.value,
                delivery.channel.value,
                delivery.slot.value,
                encode_recipient(delivery.recipient),
            )
            for delivery in deliveries
        )

    def _claimed(self, deliveries: Sequence[Delivery]) -> Rows:
        return ("delivery_id", "loan_id", "due_date", "library", "stage", "slot", "live"), (
            (
                delivery.delivery_id,
                loan.loan_id,
                loan.due_date,
                self._library,
                delivery.notice.stage.value,
                delivery.slot.value,
                not self._run.dry_run,
            )
            for delivery in deliveries
            for loan in delivery.loans
        )

    def _skips(self, skips: Sequence[Skip]) -> Rows:
        return ("library", "run_id", "loan_id", "due_date", "patron_id", "slot", "reason", "detail"), (
            (
                self._library,
                self._run.run_id,
                skip.loan_id,
                skip.due_date,
                skip.patron_id,
                None if skip.slot is None else skip.slot.value,
                skip.reason.value,
                skip.detail,
            )
            for skip in skips
        )
