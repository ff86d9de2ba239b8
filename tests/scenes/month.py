"""A month of a library, day by day: each DAG once a day, with whatever may go wrong, on a real ledger.

A run may be killed at any of its tasks; a librarian triggers the day anew at once, or the day after, or never. Servers
refuse, put off and bounce; readers return and renew. The world outside is in memory (`outside`).
"""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from unittest import mock

from loan_reminders.domain.email.feedback import Bounce, BounceKind
from loan_reminders.domain.errors import PermanentError, TemporaryError
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.runs import routing
from loan_reminders.domain.stages import Channel, PatronCategory, Slot, Stage
from loan_reminders.domain.states import DeliveryState, Refusal
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.runs.planning import PostgresPlanning
from tests.scenes.miniature import POLICY, Miniature, Passage
from tests.scenes.outside import Killed, Misfortune
from tests.scenes.world import DUE, SETTINGS

S, M = DeliveryState, Misfortune
DAYS, READERS, MOST_LOANS = 26, 10, 10
TRIES = 3
PUT_OFF = (M.LATER, M.REFUSED, M.NO_SUCH_USER, M.TAKEN_WITHOUT_ANSWER, M.LOST_WITHOUT_ANSWER)
KILLS = ("extract", "plan", "before", "after")
TROUBLE = (TemporaryError, PermanentError, RuntimeError, Killed)


@dataclass
class Month:
    """One library, from its first day to its last."""

    ledger: PostgresLedger
    seed: int
    library: Miniature = field(init=False)
    to_trigger: list[tuple[Stage, date]] = field(default_factory=list)
    kills: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.library = Miniature(ledger=self.ledger, today=DUE - timedelta(days=2))
        for number in range(READERS):
            has = {name: number == 0 or self.chance.random() < 4 / 5 for name in ("email", "mobile", "address")}
            self.library.enrol(self.chance.choice([PatronCategory.STUDENT, PatronCategory.STAFF]), **has)
        # Some addresses never take anything, whatever the day.
        self.hopeless = {
            reader.email.value: self.chance.choice([M.NO_SUCH_USER, M.REFUSED, M.LATER])
            for reader in self.library.readers
            if not isinstance(reader.email, Refusal) and self.chance.random() < 1 / 3
        }

    def live(self) -> None:
        with _the_same_ids_each_time():
            for day in range(DAYS):
                self.library.today = DUE - timedelta(days=2) + timedelta(days=day)
                self.people_come(day)
                due_today, self.to_trigger = self.to_trigger, []
                for stage, reference_date in due_today:
                    self.trigger(stage, reference_date)
                for stage in Stage:
                    self.trigger(stage, self.library.today)
                self.mail_comes_back()

    def people_come(self, day: int) -> None:
        library = self.library
        if day < DAYS - 8 and len(library.loans) < MOST_LOANS:
            for _ in range(self.chance.choice([1, 2])):
                library.lend(self.chance.randrange(READERS), library.today + timedelta(days=self.chance.choice([0, 2])))
        for loan_id in sorted(library.loans):
            fate = self.chance.random()
            if fate < 1 / 40:
                del library.loans[loan_id]
            elif fate < 1 / 25:
                library.renew(loan_id, days=5)

    def trigger(self, stage: Stage, reference_date: date) -> None:
        """A DAG run; when it dies it is triggered anew: at once, the day after, or, once it has planned, never."""
        planned = self.dag_run(stage, reference_date)
        while planned is not True:
            when = self.chance.choice(["at once", "at once", "tomorrow", "never"])
            if when == "tomorrow" or (when == "never" and planned is None):
                self.to_trigger.append((stage, reference_date))
                return
            if when == "never":
                return
            planned = self.dag_run(stage, reference_date)

    def dag_run(self, stage: Stage, reference_date: date) -> bool | None:
        """True when it came to its end; None when it died before anything was planned."""
        killed = self.chance.choice(KILLS) if self.chance.random() < 1 / 6 else ""
        self.kills += bool(killed)
        if killed == "extract":
            with suppress(TemporaryError):
                self.library.extract(stage, reference_date, fails_after=0, daily=True)
            return None
        passage = self.library.extract(stage, reference_date, daily=True)
        if killed == "plan":
            with suppress(Killed), mock.patch.object(PostgresPlanning, "record", _killed):
                self.library.plan(passage)
            return None
        self.library.plan(passage)
        if not self.library.seen(passage):
            self.close(passage)
            return True
        channels = self.library.channels(passage)
        struck = self.chance.choice(channels) if killed else None
        for channel in channels:
            if channel is struck and self.strike(passage, channel, killed):
                return False
            self.task(passage, channel)
        self.close(passage)
        return True

    def strike(self, passage: Passage, channel: Channel, how: str) -> bool:
        """The task is killed in the middle; False when it had nothing to do."""
        kill = M.KILLED_BEFORE if how == "before" else M.KILLED_AFTER
        outside, readers = self.library.outside, self.library.readers
        contacts = [one.value for reader in readers for one in (reader.email, reader.mobile) if hasattr(one, "value")]
        victims = self.chance.sample(contacts, k=len(contacts) // 2)
        outside.misfortunes = {**self.hopeless, **dict.fromkeys(victims, kill)}
        outside.letters = kill
        try:
            self.library.send(passage, channel)
        except Killed:
            return True
        except TROUBLE:
            return True
        finally:
            outside.misfortunes, outside.letters = {}, None
        return False

    def task(self, passage: Passage, channel: Channel) -> None:
        """A task with Airflow's tries; e-mails and letters fare better from one try to the next, or never do."""
        for number in range(1, TRIES + 1):
            outside = self.library.outside
            today = {
                reader.email.value: self.chance.choice([*[None] * 9, *PUT_OFF])
                for reader in self.library.readers
                if not isinstance(reader.email, Refusal)
            }
            texts = {
                reader.mobile.value: self.chance.choice([*[None] * 9, M.REFUSED, M.TAKEN_WITHOUT_ANSWER])
                for reader in self.library.readers
                if not isinstance(reader.mobile, Refusal)
            }
            usable = {address: one for address, one in {**today, **texts}.items() if one is not None}
            outside.misfortunes = {**usable, **self.hopeless}
            try:
                self.library.send(passage, channel, last_try=number == TRIES)
            except TemporaryError:
                continue
            finally:
                outside.misfortunes = {}
            return

    def close(self, passage: Passage) -> None:
        """The books meet, whatever became of the messages; those that wait still make the run red, as they must."""
        books = self.ledger.close_run(passage.run_id)
        assert books.loans_extracted == books.loans_in_notices + sum(books.skipped.values()), (self.seed, books)
        assert books.deliveries_planned == sum(sum(by.values()) for by in books.deliveries.values()), (self.seed, books)

    def mail_comes_back(self) -> None:
        rows = self.library.rows()
        accepted = sorted(one for one, row in rows.items() if row.channel is Channel.EMAIL and row.state is S.ACCEPTED)
        if accepted and self.chance.random() < 1 / 3:
            feedback = self.ledger.mail_feedback()
            feedback.keep(
                [_bounce(self.chance.choice(accepted), self.chance.choice([BounceKind.HARD, BounceKind.SOFT]))]
            )
            feedback.settle(failures=3)

    # --- what must hold at the end

    def overdue(self) -> dict[str, str]:
        """Readers by the loans that are late by now, at their first stage after the due date at least."""
        first = self.library.today - timedelta(days=POLICY.rule(Stage.OVERDUE_NOTICE).offset_days)
        late = {loan.loan_id: loan for loan in self.library.loans.values() if loan.due_date <= first}
        return {loan_id: loan.patron.patron_id for loan_id, loan in late.items()}

    def untold(self) -> set[str]:
        """Overdue loans of which no message reached the reader, in this cycle, and whose reader is not at the desk."""
        rows = self.library.rows()
        arrived = {
            (loan.loan_id, told.delivery.notice.due_date)
            for told in self.library.outside.told
            if rows[told.delivery.delivery_id].state in {S.ACCEPTED, S.DELIVERED, S.IN_DOUBT}
            for loan in told.delivery.loans
        }
        desk = self.at_the_desk()
        waiting = {loan for stage, day in self.to_trigger for loan in self.library.loans
                   if self.library.loans[loan].due_date == POLICY.rule(stage).due_date_on(day)}  # fmt: skip
        return {
            loan_id
            for loan_id, patron_id in self.overdue().items()
            if (loan_id, self.library.loans[loan_id].due_date) not in arrived
            and patron_id not in desk
            and loan_id not in waiting
        }

    def at_the_desk(self) -> set[str]:
        ever = datetime(2000, 1, 1, tzinfo=SETTINGS.zone)
        work = self.ledger.desk().work(since=ever, doubtful_before=ever.replace(year=2999), limit=5000)
        lists = (work.not_reached, work.in_doubt, work.not_rendered, work.not_arrived)
        return {line.patron_id for lines in lists for line in lines}

    def doubled(self) -> list[object]:
        """What was told twice in one slot, but for e-mails and letters in doubt and sent again, or that came back."""
        rows = self.library.rows()
        told_of = defaultdict(list)
        for told in self.library.outside.told:
            for loan in told.delivery.loans:
                notice = told.delivery.notice
                told_of[loan.loan_id, notice.due_date, notice.stage, told.slot].append(rows[told.delivery.delivery_id])
        return [
            (what, row)
            for what, several in told_of.items()
            for row in several[:-1]
            if what[3] is Slot.SMS or not (row.resent_in_doubt or row.state is S.BOUNCED)
        ]


def _killed(*_args: object, **_kwargs: object) -> None:
    raise Killed


def _bounce(delivery_id: uuid.UUID, kind: BounceKind) -> Bounce:
    hard = kind is BounceKind.HARD
    return Bounce(
        fingerprint=str(delivery_id),
        kind=kind,
        delivery_id=delivery_id,
        recipient="",
        status="5.1.1" if hard else "4.2.2",
        diagnostic="550 5.1.1 no such user" if hard else "452 4.2.2 mailbox full",
        received_at=None,
        raw="",
    )


@contextmanager
def _the_same_ids_each_time() -> Iterator[None]:
    """Deliveries are sent in the order of their ids: without this a seed would not happen twice alike."""
    numbers = count()

    def numbered(**values: object) -> Delivery:
        return Delivery(delivery_id=uuid.uuid5(uuid.NAMESPACE_OID, str(next(numbers))), **values)  # type: ignore[arg-type]

    with mock.patch.object(routing, "Delivery", numbered):
        yield
