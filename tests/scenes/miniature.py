"""A library in miniature: readers and loans that change, days that pass, and the tasks of the DAGs, on a real ledger.

The world outside is in memory (`outside`). `see` notes whatever is untrue at the moment it leaves.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text

from loan_reminders.domain.clock import midnight
from loan_reminders.domain.loans import Loan, Patron, RejectedRow
from loan_reminders.domain.messages import Receipt, RenderedEmail, RenderedText
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.stages import STAGE_CHANNELS, Channel, PatronCategory, Stage
from loan_reminders.domain.states import TRANSITIONS, DeliveryState, Refusal
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.services.email.send import SendingPlan, send_emails
from loan_reminders.services.letters.batches import LetterSetup
from loan_reminders.services.letters.printing import print_letters
from loan_reminders.services.letters.take_over import take_over_by_letter
from loan_reminders.services.runs.extract import FAILED_WITHIN, RunRequest, extract_loans
from loan_reminders.services.runs.plan import plan_run
from loan_reminders.services.runs.rehearse import rehearse
from loan_reminders.services.runs.still_due import StillDue
from loan_reminders.services.sms.send import SmsSendingPlan, send_sms
from loan_reminders.settings.library_toml import ROOT
from tests.scenes.builders import a_loan, a_mobile, a_patron, an_address, an_email
from tests.scenes.holds import HoldsKept
from tests.scenes.outside import MemoryStore, Outside, Told
from tests.scenes.world import ALWAYS_OPEN, BUDGET, SETTINGS, ListedLoans

POLICY = SETTINGS.policy()
LETTERS = (Channel.LETTER, Channel.REGISTERED_LETTER)
_DELIVERIES = text("""
    SELECT delivery.delivery_id, delivery.run_id, channel, delivery.state, resent_in_doubt, dry_run
    FROM deliveries delivery JOIN runs USING (run_id)
""")
_AGE = text("UPDATE deliveries SET claimed_at = claimed_at - make_interval(days => :days)")
_SEEN = text("SELECT count(*) FROM loans_seen WHERE run_id = :run_id")
_CLAIMS = text("SELECT delivery_id, loan_id, due_date, stage, slot, live, dropped FROM delivery_loans")


def _after_any_number_of_moves() -> dict[DeliveryState, set[DeliveryState]]:
    found = {state: {state} for state in DeliveryState}
    for _ in DeliveryState:
        for state in DeliveryState:
            found[state] |= {last for through in found[state] for last in TRANSITIONS[through]}
    return found


MAY_BECOME = _after_any_number_of_moves()


@dataclass(kw_only=True)
class Passage:
    """One run. `green` until something is sent in it again."""

    run_id: int
    stage: Stage
    due_date: date
    dry_run: bool
    planned: bool = False
    green: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """One delivery as the ledger holds it."""

    run_id: int
    channel: Channel
    state: DeliveryState
    resent_in_doubt: bool
    dry_run: bool


def email_in_short(delivery: Delivery) -> RenderedEmail:
    """An e-mail that says next to nothing."""
    recipient: Any = delivery.recipient
    return RenderedEmail(
        delivery_id=delivery.delivery_id, recipient=recipient, message_id=f"<{delivery.delivery_id}@x>", content=b"-"
    )


def text_in_short(delivery: Delivery) -> RenderedText:
    """An SMS that says how many documents: the same text for many readers."""
    recipient: Any = delivery.recipient
    return RenderedText(
        delivery_id=delivery.delivery_id, recipient=recipient, text=f"{len(delivery.loans)} documents", segments=1
    )


@dataclass
class Miniature:
    """The library today."""

    ledger: PostgresLedger
    today: date
    outside: Outside = field(default_factory=Outside)
    ils: ListedLoans = field(default_factory=ListedLoans)
    readers: list[Patron] = field(default_factory=list)
    loans: dict[str, Loan] = field(default_factory=dict)
    spoilt: list[RejectedRow] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    holds: HoldsKept = field(init=False)
    serial: int = 0
    aged_to: date | None = None

    def __post_init__(self) -> None:
        self.outside.witness = self.see
        self.holds = HoldsKept(self.ledger)

    def see(self, told: Told) -> None:
        """At the moment a message leaves: is all of it still due, and is today the day of this stage?"""
        notice = told.delivery.notice
        for loan in told.delivery.loans:
            now = self.loans.get(loan.loan_id)
            if self.holds.forbid(loan, self.today):
                self.untrue.append(f"{notice.stage} told for {loan.loan_id}, which is held")
            if now is None or now.due_date != notice.due_date:
                self.untrue.append(f"{notice.stage} told for {loan.loan_id}, which is back or renewed")
        right = POLICY.stage_due(notice.due_date, self.today)
        if right is not notice.stage or (POLICY.rule(notice.stage).offset_days <= 0 and self.today > notice.due_date):
            self.untrue.append(f"{notice.stage} told on {self.today}, due {notice.due_date}: the day of {right}")

    # --- the library

    def enrol(self, category: PatronCategory, *, email: bool, mobile: bool, address: bool) -> None:
        """A new reader, with or without each of these."""
        number = len(self.readers)
        self.readers.append(
            a_patron(
                patron_id=f"P{number}",
                category=category,
                email=an_email(f"p{number}@etu.example.org") if email else Refusal.MISSING,
                mobile=a_mobile(f"3363998{number:04d}") if mobile else Refusal.NOT_MOBILE,
                address=an_address() if address else Refusal.MISSING,
            )
        )

    def lend(self, reader: int, due: date, days: int = 28) -> None:
        self.serial += 1
        loan_id = f"L{self.serial}"
        self.loans[loan_id] = a_loan(
            loan_id=loan_id, due_date=due, loan_date=due - timedelta(days=days), patron=self.readers[reader]
        )

    def renew(self, loan_id: str, days: int) -> None:
        loan = self.loans[loan_id]
        self.loans[loan_id] = replace(loan, due_date=max(loan.due_date, self.today) + timedelta(days=days))

    def correct(self, number: int, **changes: Any) -> None:
        """New contact details, which every loan of the reader then shows."""
        self.readers[number] = replace(self.readers[number], **changes)
        for loan in self.loans.values():
            if loan.patron.patron_id == self.readers[number].patron_id:
                self.loans[loan.loan_id] = replace(loan, patron=self.readers[number])

    def _refresh_ils(self, *, down: bool, fails_after: int | None = None) -> None:
        """The ILS as it is now; its first loan comes twice, as from a careless join."""
        rows = list(self.loans.values())
        self.ils.rows = [*rows, *rows[:1], *self.spoilt]
        self.ils.down, self.ils.fails_after = down, fails_after

    # --- the tasks

    def extract(
        self,
        stage: Stage,
        day: date,
        *,
        dag_run_id: str = "",
        dry_run: bool = False,
        fails_after: int | None = None,
        daily: bool = False,
    ) -> Passage:
        """The task of one stage and day; `daily` as its operator does it, with what other days left untold."""
        self._refresh_ils(down=False, fails_after=fails_after)
        self.serial += 1
        run = extract_loans(
            self.ledger,
            self.ils,
            RunRequest(
                rule=POLICY.rule(stage),
                reference_date=day,
                today=self.today,
                dag_run_id=dag_run_id or f"manual {self.serial}",
                dry_run=dry_run,
            ),
            policy=POLICY if daily else None,
            since=midnight(datetime.now(SETTINGS.zone)) - FAILED_WITHIN if daily else None,
        )
        self.passages.append(Passage(run_id=run.run_id, stage=stage, due_date=run.due_date, dry_run=dry_run))
        return self.passages[-1]

    def seen(self, passage: Passage) -> bool:
        with self.ledger.engine.connect() as connection:
            return bool(connection.execute(_SEEN, {"run_id": passage.run_id}).scalar_one())

    def plan(self, passage: Passage) -> dict[str, int]:
        planned = plan_run(self.ledger, run_id=passage.run_id, policy=POLICY)
        passage.planned = True
        return planned

    def send(
        self,
        passage: Passage,
        channel: Channel,
        *,
        write: Any = None,
        last_try: bool = False,
        at_once: int = 2,
        ils_down: bool = False,
    ) -> dict[str, int]:
        """The task of one channel, in the order its operator would do it."""
        self._refresh_ils(down=ils_down)
        passage.green = False
        store, run = MemoryStore(self.outside), self.ledger.run(passage.run_id)
        still_due = StillDue(source=self.ils, policy=POLICY, run=run, clock=self.now)
        if channel in LETTERS:
            take_over_by_letter(self.ledger, run_id=run.run_id, policy=POLICY)
            return print_letters(
                self.ledger,
                store,
                LetterSetup(
                    printer=self.outside.printer(),
                    templates=ROOT / "templates",
                    library=SETTINGS.identity(),
                    today=self.today,
                    zone=SETTINGS.library.time_zone,
                ),
                run_id=run.run_id,
                kind=channel,
                still_due=still_due,
            )
        in_short: Any = text_in_short if channel is Channel.SMS else email_in_short
        render = self.outside.remembering(write or in_short)
        if run.dry_run:
            return rehearse(self.ledger, store, render, run_id=run.run_id, channel=channel)
        if channel is Channel.SMS:
            now, run_id = self._now(), run.run_id
            return send_sms(
                self.ledger,
                self.outside.gateway(),
                render,
                SmsSendingPlan(run_id=run_id, recipients_per_request=at_once, budget=BUDGET, window=ALWAYS_OPEN),
                still_due=replace(still_due, expires_after_days=SETTINGS.sms.expires_after_days),
                clock=lambda: now,
            )
        return send_emails(
            self.ledger,
            self.outside.relay,
            render,
            SendingPlan(run_id=run.run_id, connections=1, last_try=last_try),
            still_due=still_due,
        )

    def _now(self) -> datetime:
        """Now, for the ledger, which dates claims by its server's clock: they grow as old as the days that passed."""
        passed = (self.today - self.aged_to).days if self.aged_to else 0
        with self.ledger.engine.begin() as connection:
            connection.execute(_AGE, {"days": passed})
        self.aged_to = self.today
        return datetime.now(SETTINGS.zone)

    def channels(self, passage: Passage) -> list[Channel]:
        return sorted(STAGE_CHANNELS[passage.stage])

    def hear(self, run_id: int, channel: Channel, delivery_id: uuid.UUID, state: DeliveryState) -> None:
        """News of a delivery, from the provider or a person."""
        with self.ledger.sender(run_id, channel) as sender:
            sender.record([Receipt(delivery_id=delivery_id, state=state)])

    def rows(self) -> Mapping[uuid.UUID, Row]:
        with self.ledger.engine.connect() as connection:
            return {
                row.delivery_id: Row(
                    run_id=row.run_id,
                    channel=Channel(row.channel),
                    state=DeliveryState(row.state),
                    resent_in_doubt=row.resent_in_doubt,
                    dry_run=row.dry_run,
                )
                for row in connection.execute(_DELIVERIES)
            }

    def claims(self) -> list[Any]:
        with self.ledger.engine.connect() as connection:
            return list(connection.execute(_CLAIMS))

    def now(self) -> datetime:
        return datetime.combine(self.today, datetime.min.time(), SETTINGS.zone).replace(hour=10)
