"""A ledger backed up, and brought back later as it was then; and a file of the mark that is kept in memory."""

from __future__ import annotations

from datetime import timedelta

from loan_reminders.domain.errors import LetterStoreUnavailable, MarkUnreadable
from loan_reminders.domain.marks.high_water import Mark
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import Refusal
from loan_reminders.hooks.marks import marks_of
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.services.marks.guard import check_complete, make_mark, marked_step
from tests.scenes.world import DUE, loan, reader
from tests.simulators.postgres import EmbeddedPostgres


class Backups:
    """Copies of ledgers on one server; all are dropped at the end. A context manager."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._made: list[str] = []
        self._opened: list[PostgresLedger] = []

    def __enter__(self) -> Backups:
        return self

    def __exit__(self, *exc: object) -> None:
        for ledger in self._opened:
            ledger.close()
        for name in self._made:
            self._server.drop_database(name)

    def take(self, ledger: PostgresLedger) -> str:
        """A backup of this moment; its name."""
        ledger.close()
        return self._copy(str(ledger.engine.url.database))

    def bring_back(self, backup: str, *, library: str = "demo") -> PostgresLedger:
        """A ledger as the backup knows it."""
        self._opened.append(connect(self._server.url(self._copy(backup)), library=library))
        return self._opened[-1]

    def _copy(self, name: str) -> str:
        self._made.append(self._server.create_database(template=name))
        return self._made[-1]


class MarkInMemory:
    """Fulfils `MarkFile`; its store may be silent or read-only, and what lies there may be spoilt."""

    def __init__(self) -> None:
        self.mark: Mark | None = None
        self.silent = self.read_only = self.spoilt = False

    def read(self) -> Mark | None:
        if self.silent:
            raise LetterStoreUnavailable("the store does not answer")
        if self.spoilt:
            raise MarkUnreadable
        return self.mark

    def write(self, mark: Mark) -> None:
        if self.read_only:
            raise LetterStoreUnavailable("the store is read-only")
        self.mark, self.spoilt = mark, False


# --- a library whose sending steps are guarded, with a file of the mark


def step(world, file, run_id, *remembered, channel=Channel.EMAIL):
    marks = marks_of(world.ledger)
    return marked_step(world.ledger, marks, file, run_id=run_id, channel=channel, last_runs=remembered)


def send(world, file, run_id, *remembered):
    """A step that sends e-mails; False when there was no work to do."""
    with step(world, file, run_id, *remembered) as work:
        if work:
            world.send_emails(run_id)
        return work


def check(world, file, *remembered):
    return check_complete(marks_of(world.ledger), file, last_runs=remembered)


def a_day(world, file, number):
    """A day of the library: its run, and its e-mail to one reader."""
    due = DUE + timedelta(days=number)
    world.today = due + timedelta(days=1)
    by_email_alone = reader(number, mobile=Refusal.MISSING)
    run_id = world.extract_day(due, loan(number, due_date=due, patron=by_email_alone))
    world.plan(run_id)
    send(world, file, run_id)
    world.close(run_id)
    make_mark(marks_of(world.ledger), file, run_id=run_id)
    return run_id
