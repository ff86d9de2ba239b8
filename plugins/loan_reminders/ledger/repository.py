"""The ledger on PostgreSQL: its runs, and what plans, sends and closes them; each trade has its own part."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import Connection, Engine, func, select

from loan_reminders.domain.email.share import WHOLE, Share
from loan_reminders.domain.errors import LedgerRefusal, LedgerRefused
from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.ports.outside import Run
from loan_reminders.domain.runs.books import Books
from loan_reminders.domain.runs.reading.tally import Reading
from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.domain.runs.watched_days import WatchedDay
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.french.ledger import imbalance_of_a_run
from loan_reminders.ledger.desk import PostgresDesk
from loan_reminders.ledger.dispute.loan_file import PostgresLoanFiles
from loan_reminders.ledger.email.feedback import PostgresMailFeedback
from loan_reminders.ledger.email.refused_addresses import remember_refused
from loan_reminders.ledger.faults import ledger_errors
from loan_reminders.ledger.letters.batches import PostgresLetterBatches
from loan_reminders.ledger.letters.drafts import PostgresLetterDrafts
from loan_reminders.ledger.put_aside import each_alone
from loan_reminders.ledger.registered.steps import PostgresRegisteredLetters
from loan_reminders.ledger.runs import history, outbox, readings, volume_answers, waiting, watch
from loan_reminders.ledger.runs.close import close_books
from loan_reminders.ledger.runs.failed_emails import loans_of_failed_emails
from loan_reminders.ledger.runs.loans_seen import cut_to_fit, record_rows
from loan_reminders.ledger.runs.opening import open_run
from loan_reminders.ledger.runs.planning import PostgresPlanning
from loan_reminders.ledger.runs.taking_over import PostgresTakeOver
from loan_reminders.ledger.schema import SchemaCheck
from loan_reminders.ledger.sender import PostgresSender
from loan_reminders.ledger.sender_locks import letters_alone
from loan_reminders.ledger.sender_sql import count_offered
from loan_reminders.ledger.sms import costs as sms_costs
from loan_reminders.ledger.sms import credits as sms_credits
from loan_reminders.ledger.sms.feedback import PostgresSmsFeedback
from loan_reminders.ledger.statistics.counting import count_closed
from loan_reminders.ledger.statistics.looks import PostgresLoanEnds
from loan_reminders.ledger.tables import deliveries, runs

Part = TypeVar("Part")

logger = logging.getLogger(__name__)


class PostgresLedger:
    """The ledger of one library. Fulfils `Ledger`; a context manager that closes its connections.

    Every method is one transaction unless it says otherwise, and raises LedgerUnavailable (a later try may
    succeed) or PermanentError (an account, a table or a value is wrong). `for_pages`: it stays open for weeks.
    """

    def __init__(self, engine: Engine, *, library: str, for_pages: bool = False) -> None:
        self.engine = engine
        self.library = library
        self._check = SchemaCheck(again=for_pages)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection kept open."""
        self.engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with ledger_errors(), self.engine.begin() as connection:
            self._check(connection)
            yield connection

    def open_run(
        self, *, stage: Stage, reference_date: date, due_date: date, today: date, dag_run_id: str, dry_run: bool
    ) -> Run:
        """Begin a run: the unfinished one of this DAG run afresh, under its number, or else the next attempt."""
        values = {"reference_date": reference_date, "due_date": due_date, "today": today, "dry_run": dry_run}
        with self._transaction() as connection:
            return open_run(connection, self.library, stage=stage, dag_run_id=dag_run_id, values=values)

    def run(self, run_id: int) -> Run:
        """One run of this library."""
        with self._transaction() as connection:
            return self._run(connection, run_id)

    def _run(self, connection: Connection, run_id: int, *, lock: bool = False) -> Run:
        query = select(runs).where(runs.c.run_id == run_id, runs.c.library == self.library)
        row = connection.execute(query.with_for_update(key_share=True) if lock else query).first()
        if row is None:
            raise LedgerRefused(LedgerRefusal.UNKNOWN_RUN, library=self.library, run_id=run_id)
        return history.as_run(row)

    def unfinished_runs(self, run_id: int) -> Sequence[Run]:
        """The runs of the last month of this run's stage, begun before it, that never came to a green end."""
        with self._transaction() as connection:
            return history.unfinished_runs(connection, self.library, self._run(connection, run_id))

    def record_loans(self, run_id: int, rows: Sequence[Loan | RejectedRow]) -> None:
        """Write rows as they are read. The first row of a loan stays; a later one is skipped as `duplicate_row`.

        A row that the ledger cannot hold is skipped as `invalid_row`, and the others are written without it.
        """

        def record(some: Sequence[Loan | RejectedRow]) -> None:
            with self._transaction() as connection:
                record_rows(connection, library=self.library, run_id=run_id, rows=some)

        _, refused = each_alone(record, rows)
        if refused:
            record([cut_to_fit(row) for row, _ in refused])

    def finish_extraction(self, run_id: int, loans_extracted: int, reading: Reading | None = None) -> None:
        """Say that every row was read, how many and what they were. Saying it again changes nothing."""
        with self._transaction() as connection:
            self._run(connection, run_id, lock=True)
            readings.finish(connection, run_id, loans_extracted, reading)

    def readings(self) -> readings.PostgresReadings:
        """The part of the ledger that knows what runs read of the ILS."""
        return readings.PostgresReadings(self._transaction, library=self.library)

    def planning(self, run_id: int) -> PostgresPlanning:
        """Open the one transaction in which a run is planned, as a context manager."""
        return PostgresPlanning(self.engine, self.run(run_id), library=self.library)

    def taking_over(self, run_id: int) -> PostgresTakeOver:
        """Open the one transaction in which letters are planned for a run's e-mails that did not arrive."""
        return PostgresTakeOver(self.engine, self.run(run_id), library=self.library)

    def planned_count(self, run_id: int, channel: Channel) -> int:
        """Deliveries of this run that a sender of this channel would be offered, those of a dead sender included."""
        parameters = {"library": self.library, "run_id": run_id, "channel": channel.value}
        with self._transaction() as connection:
            return count_offered(connection, channel, parameters)

    def sender(self, run_id: int, channel: Channel, *, share: Share = WHOLE) -> PostgresSender:
        """Become a sender of this run, or of a share of it; what its reader refuses by now does not leave."""
        return PostgresSender(self.engine, self.run(run_id), channel, library=self.library, share=share)

    def planned_volume(self, run_id: int) -> Mapping[Channel, int]:
        """Deliveries of this run that wait to leave, by channel."""
        query = (
            select(deliveries.c.channel, func.count().label("number"))
            .where(
                deliveries.c.library == self.library,
                deliveries.c.run_id == run_id,
                deliveries.c.state == DeliveryState.PLANNED.value,
            )
            .group_by(deliveries.c.channel)
        )
        with self._transaction() as connection:
            return {Channel(row.channel): row.number for row in connection.execute(query)}

    def sample(self, run_id: int, channel: Channel, *, size: int) -> Sequence[Delivery]:
        """Some of the deliveries of this run that wait to leave by this channel, `size` at most; for reading only."""
        with self._transaction() as connection:
            return outbox.sample(connection, self.library, run_id, channel, size)

    @contextmanager
    def alone(self, run_id: int, channel: Channel) -> Iterator[None]:
        """Hold the lock on this run's letters of this kind: nobody lays them out, prints or approves them meanwhile.

        The lock has a connection of its own; what is done under it is committed as it is done. Raises
        LedgerUnavailable on entering when another task holds the lock.
        """
        self.run(run_id)
        with (
            ledger_errors(),
            self.engine.connect() as connection,
            letters_alone(connection, self.library, run_id, channel),
        ):
            yield

    def past_volumes(self, run_id: int, *, runs: int) -> Sequence[Mapping[Channel, int]]:
        """Deliveries by channel of the last green runs of this run's stage, the newest first, this one left out."""
        with self._transaction() as connection:
            return history.past_volumes(connection, self.library, self._run(connection, run_id), runs)

    def missed_days(self, run_id: int, *, within_days: int) -> Sequence[date]:
        """Days before this run's own without any green run of its stage, back to the first green one at most."""
        with self._transaction() as connection:
            return history.missed_days(connection, self.library, self._run(connection, run_id), within_days)

    def record_volume_answer(self, run_id: int, answer: VolumeAnswer, *, who: str = "", reading: bool = False) -> None:
        """Keep what was said of a run's volume, or of its `reading`, for the senders to look it up."""
        with self._transaction() as connection:
            self._run(connection, run_id)
            volume_answers.record(connection, self.library, run_id, answer, who, reading=reading)

    def volume_answer(self, run_id: int) -> VolumeAnswer | None:
        """The newest answer about a run's volume, None when nobody looked at it yet."""
        with self._transaction() as connection:
            return volume_answers.newest(connection, self.library, run_id)

    def days_to_watch(
        self, *, since: date, until: date, stages: Collection[Stage] = tuple(Stage)
    ) -> Sequence[WatchedDay]:
        """Days of these stages, from one to another, both included, that have no green run."""
        with self._transaction() as connection:
            return watch.days_to_watch(connection, self.library, since, until, stages)

    def cancel_waiting(self, run_id: int, reason: Reason, channels: Sequence[Channel]) -> int:
        """Cancel everything that was never attempted in this run by these channels; returns how many deliveries."""
        scope = {"library": self.library, "run_id": run_id, "offered": [DeliveryState.PLANNED.value]}
        with self._transaction() as connection:
            return waiting.cancel_waiting(connection, scope, [channel.value for channel in channels], reason)

    def segments_since(self, since: datetime) -> int:
        """Segments of the SMS that left, or may have left, since a moment."""
        with self._transaction() as connection:
            return sms_costs.segments_since(connection, self.library, since)

    def keep_sms_credit(self, segments: int, *, at: datetime) -> None:
        """Keep what the provider said is left on the account, in segments, at a moment."""
        with self._transaction() as connection:
            sms_credits.keep(connection, self.library, segments, at)

    def sms_costs(self, *, first: date, last: date, zone: str) -> Sequence[sms_costs.SmsCost]:
        """What SMS cost from one day to another, both included, by day, stage and category of reader."""
        with self._transaction() as connection:
            return sms_costs.costs(connection, self.library, first=first, last=last, zone=zone)

    def feedback(self) -> PostgresSmsFeedback:
        """The part of the ledger where the SMS provider's answers are kept."""
        return PostgresSmsFeedback(self._transaction, library=self.library)

    def dispute(self) -> PostgresLoanFiles:
        """The part of the ledger that tells everything about one loan."""
        return PostgresLoanFiles(self._transaction, library=self.library)

    def letters(self) -> PostgresLetterBatches:
        """The part of the ledger where batches of letters are kept."""
        return PostgresLetterBatches(self._transaction, library=self.library)

    def drafts(self) -> PostgresLetterDrafts:
        """The part of the ledger where drafts of registered letters wait for approval."""
        return PostgresLetterDrafts(self._transaction, library=self.library)

    def part(self, kind: Callable[..., Part]) -> Part:
        """One of the parts of the ledger that the pages ask for by its class, such as `PostgresJournal`."""
        return kind(self._transaction, library=self.library)

    def mail_feedback(self) -> PostgresMailFeedback:
        """The part of the ledger where e-mails that came back are kept."""
        return PostgresMailFeedback(self._transaction, library=self.library)

    def loans_of_failed_emails(self, run_id: int, *, since: datetime) -> Sequence[Loan]:
        """Loans of other days whose e-mail of this run's stage failed since, and that no run has taken up again."""
        with self._transaction() as connection:
            return loans_of_failed_emails(connection, self.library, run_id, since=since)

    def remember_refused_addresses(self) -> int:
        """Write no more to the e-mail addresses whose servers said lately that they do not exist; how many are new."""
        with self._transaction() as connection:
            return remember_refused(connection, self.library)

    def registered(self) -> PostgresRegisteredLetters:
        """The part of the ledger where registered letters are followed."""
        return PostgresRegisteredLetters(self._transaction, library=self.library)

    def desk(self) -> PostgresDesk:
        """The part of the ledger that the desk page shows."""
        return PostgresDesk(self._transaction, library=self.library)

    def loan_ends(self) -> PostgresLoanEnds:
        """The part of the ledger where the ends of loans are kept."""
        return PostgresLoanEnds(self._transaction, library=self.library)

    def close_run(self, run_id: int) -> Books:
        """Count the books, keep them with the run and return them; closing again counts again."""
        with self._transaction() as connection:
            self._run(connection, run_id, lock=True)
            books = close_books(connection, run_id)
            count_closed(connection, self.library, run_id)
        for problem in books.problems():
            logger.error("%s", imbalance_of_a_run(run_id, problem))
        return books
