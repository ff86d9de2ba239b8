"""Whatever happens, in whatever order: what is never false.

Days pass, loans are returned, renewed and held, addresses are corrected, tasks run, fail, die and are run again, today
or days later. After each step the promises are checked. `INVARIANT_EXAMPLES=1000` looks further, differently each time.
"""

from __future__ import annotations

import os
import random
import uuid
from collections import Counter, defaultdict
from contextlib import suppress
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from loan_reminders.domain.errors import BooksDoNotBalance, PermanentError, TemporaryError
from loan_reminders.domain.loans import RejectedRow
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.runs import routing
from loan_reminders.domain.stages import PatronCategory, Slot
from loan_reminders.domain.states import FREES_SLOT, DeliveryState, Refusal
from loan_reminders.ledger.connect import connect
from loan_reminders.services.runs.check_volume import refuse
from loan_reminders.services.runs.close import close_run
from tests.sample_sizes import sample
from tests.scenes.builders import a_mobile, an_address, an_email
from tests.scenes.copies import left_too_often
from tests.scenes.miniature import MAY_BECOME, POLICY, Miniature, Passage
from tests.scenes.outside import Killed, Misfortune
from tests.scenes.world import DUE

S = DeliveryState
EXAMPLES = int(os.environ.get("INVARIANT_EXAMPLES", "0"))
TROUBLE = (TemporaryError, PermanentError, RuntimeError, Killed)
RARELY = 1 / 8
HAPPENINGS = [
    *["a_dag_run"] * 7, *["send"] * 6, *["days_pass"] * 4, *["life_goes_on"] * 5,
    "plan", "close", "close", "refuse_the_volume", "news_come",
]  # fmt: skip
CATEGORIES = [*[PatronCategory.STUDENT] * 4, PatronCategory.STAFF]


class Year(RuleBasedStateMachine):
    """Everything that can happen to a library, and what must hold all the same."""

    numbers = count()

    def __init__(self, server, template):
        super().__init__()
        self.server, self.database = server, server.create_database(template=template)
        self.ledger = connect(server.url(self.database), library="demo")
        self.library = Miniature(ledger=self.ledger, today=DUE - timedelta(days=2))
        self.before = {}
        Year.numbers = count()

    def teardown(self):
        try:
            for passage in self.library.passages:
                if passage.planned:
                    self.counts_meet(passage)
        finally:
            self.ledger.close()
            self.server.drop_database(self.database)

    def counts_meet(self, passage):
        books = self.ledger.close_run(passage.run_id)
        assert books.loans_extracted == books.loans_in_notices + sum(books.skipped.values()), (passage, books)
        assert books.deliveries_planned == sum(sum(by.values()) for by in books.deliveries.values()), (passage, books)

    # --- the library

    @initialize(seed=st.integers(0, 2**32))
    def open_library(self, seed):
        """Four readers, the first with everything; six loans due on two days, one or two of them too short for SMS."""
        self.seed, self.step = seed, 0
        chance, library = random.Random(seed), self.library
        library.today = DUE + timedelta(days=chance.choice([-2, 1, 1, 1, 1, 8]))
        for number in range(4):
            has = {name: number == 0 or chance.random() < 3 / 4 for name in ("email", "mobile", "address")}
            library.enrol(chance.choice(CATEGORIES), **has)
        for number in range(6):
            library.lend(number % 4, DUE + timedelta(days=chance.choice([0, 0, 1])), chance.choice([28, 28, 28, 7]))
        if chance.random() < RARELY:
            row = RejectedRow(loan_id="L?", patron_id="P?", code="not_a_date", column="loan_date", raw={})
            library.spoilt.append(row)

    @rule(seed=st.integers(0, 2**32))
    def something_happens(self, seed):
        """One rule for all, and chances of its own: left to itself Hypothesis repeats a few happenings too often."""
        self.step += 1
        chance = random.Random(f"{self.seed} {self.step} {seed}")
        what = chance.choice(HAPPENINGS)
        note(f"{self.library.today}: {what}")
        getattr(self, what)(chance)

    def days_pass(self, chance):
        """Some days, or (0) up to the next day on which a stage falls for somebody."""
        days = chance.choice([0, 1, 1, 1, 2])
        today, library = self.library.today, self.library
        falls = {loan.due_date + timedelta(days=r.offset_days) for loan in library.loans.values() for r in POLICY.rules}
        next_stage = min((day for day in falls if day > today), default=today)
        library.today = today + timedelta(days=days) if days else next_stage

    def life_goes_on(self, chance):
        what = chance.choice(["borrow", "give back", "renew", "email", "mobile", "address", "hold"])
        library, open_loans = self.library, sorted(self.library.loans)
        library.serial += 1
        reader = chance.randint(0, 3)
        if what == "borrow" and len(open_loans) < 8:
            library.lend(reader, library.today + timedelta(days=chance.randint(-1, 2)))
        elif what == "give back" and open_loans:
            del library.loans[chance.choice(open_loans)]
        elif what == "renew" and open_loans:
            library.renew(chance.choice(open_loans), days=3)
        elif what == "hold" and open_loans:
            library.holds.decide(chance, [library.loans[one] for one in open_loans], library.today)
        elif what in {"email", "mobile", "address"}:
            new = {
                "email": an_email(f"p{reader}.{library.serial}@etu.example.org"),
                "mobile": a_mobile(f"33639{library.serial:05d}{reader}"),
                "address": an_address(),
            }[what]
            library.correct(reader, **{what: chance.choice([new, new, Refusal.MISSING])})

    # --- the tasks

    def a_dag_run(self, chance):
        """Up to its extraction (`far` 0), its planning (1), its sending (2) or its end (3)."""
        far = chance.choice([0, 1, 1, 2, 2, 3, 3, 3])
        passage = self.begin(chance)
        if passage is not None and far >= 1:
            self.library.plan(passage)
            if far >= 2:
                self.send_all(chance, passage)
            if far == 3:
                self.close_one(passage)

    def begin(self, chance) -> Passage | None:
        """Mostly the stage whose time it is, often a day done before; by its DAG run or by hand."""
        dues = sorted({loan.due_date for loan in self.library.loans.values()})
        if not dues:
            return None
        last = {passage.due_date for passage in self.library.passages[-1:]} & set(dues)
        due = chance.choice([*last, *last, *last, *dues])
        right = POLICY.stage_due(due, self.library.today) or POLICY.rules[0].stage
        stage = right
        if chance.random() < RARELY:
            stage = chance.choice([one.stage for one in POLICY.rules])
        day = due + timedelta(days=POLICY.rule(stage).offset_days)
        by_hand, dry_run = chance.random() < 0.5, chance.random() < RARELY
        with suppress(TemporaryError):
            return self.library.extract(
                stage,
                day,
                dag_run_id="" if by_hand else f"scheduled {stage} {day}",
                dry_run=dry_run,
                fails_after=1 if chance.random() < RARELY else None,
            )
        return None

    def pick(self, chance) -> Passage | None:
        """A run to take up again: often the last one, sometimes one of days ago."""
        known = self.library.passages
        return chance.choice([*known[-1:], *known[-1:], *known[::-1]]) if known else None

    def plan(self, chance):
        passage = self.pick(chance)
        if passage is not None:
            self.library.plan(passage)

    def send(self, chance):
        passage = self.pick(chance)
        if passage is not None:
            self.send_all(chance, passage)

    def send_all(self, chance, passage):
        """Every sending task of a run, each with its own misfortunes; tried again at once, or the day after."""
        people = self.library.readers
        known = [one for reader in people for one in (reader.email, reader.mobile)]
        contacts = [one.value for one in known if not isinstance(one, Refusal)]
        for channel in self.library.channels(passage) * chance.choice([1, 2, 2]):
            everywhere = chance.choice([None] * 12 + [*Misfortune])
            self.library.outside.misfortunes = {
                one: everywhere or chance.choice([None] * 8 + [*Misfortune]) for one in contacts
            }
            self.library.outside.letters = chance.choice([None, None, *Misfortune])
            last_try, ils_down = chance.random() < 0.5, chance.random() < RARELY
            with suppress(*TROUBLE):
                self.library.send(passage, channel, last_try=last_try, ils_down=ils_down)
            self.library.today += timedelta(days=chance.random() < 1 / 4)

    def close(self, chance):
        passage = self.pick(chance)
        if passage is not None:
            self.close_one(passage)

    def close_one(self, passage):
        if passage.planned:
            self.counts_meet(passage)
        with suppress(BooksDoNotBalance):
            close_run(self.ledger, run_id=passage.run_id)
            passage.green = True

    def refuse_the_volume(self, chance):
        passage = self.pick(chance)
        if passage is not None:
            refuse(self.ledger, run_id=passage.run_id, who="a librarian")

    def news_come(self, chance):
        """A receipt or a person says what became of a message; a contradiction of what is settled changes nothing."""
        known = [one for one, row in self.before.items() if row.state not in {S.PLANNED, S.CLAIMED, S.CANCELLED}]
        if not known:
            return
        one = chance.choice(sorted(known))
        told = one in {told.delivery.delivery_id for told in self.library.outside.told}
        news = [S.DELIVERED, S.BOUNCED, S.ACCEPTED] if told else [S.REFUSED, S.CANCELLED]
        self.library.hear(self.before[one].run_id, self.before[one].channel, one, chance.choice(news))

    # --- what is never false

    @invariant()
    def nothing_untrue_was_told(self):
        assert self.library.untrue == []
        # A refusal that nothing decided may be our own fault: only what the ledger believed is for good.
        believed = {one for one, row in self.before.items() if row.state is S.REFUSED}
        assert [told for told, refused in self.library.outside.asked_again if refused in believed] == []
        self.library.outside.asked_again.clear()

    @invariant()
    def the_ledger_keeps_its_promises(self):
        now = self.library.rows()
        self.moves(now)
        self.claims(now)
        self.told(now)
        left = {row.run_id for row in now.values() if row.state in {S.PLANNED, S.CLAIMED}}
        assert not [passage for passage in self.library.passages if passage.green and passage.run_id in left]
        self.before = now

    def moves(self, now):
        """Deliveries move as they may, and what is final stays."""
        assert self.before.keys() <= now.keys()
        for one, row in self.before.items():
            assert now[one].state in MAY_BECOME[row.state], (row, now[one])

    def claims(self, now):
        """A loan is held once a slot, as long as its delivery may have told it."""
        held = Counter()
        for claim in self.library.claims():
            row = now[claim.delivery_id]
            may_have_told = row.state not in FREES_SLOT and claim.dropped is None and not row.dry_run
            assert claim.live == may_have_told, (claim, row)
            held[claim.loan_id, claim.due_date, claim.stage, claim.slot] += claim.live
        assert max(held.values(), default=0) <= 1

    def told(self, now):
        """Nobody is told twice, but by what was in doubt and is marked so, or what came back; an SMS never is."""
        told_of = defaultdict(list)
        for told in self.library.outside.told:
            notice = told.delivery.notice
            assert not now[told.delivery.delivery_id].dry_run
            for loan in told.delivery.loans:
                told_of[loan.loan_id, notice.due_date, notice.stage, told.slot].append(told)
        for (*_, slot), messages in told_of.items():
            if slot is Slot.SMS:
                assert len({told.recipient for told in messages}) == len(messages), messages
            for told in messages[:-1]:
                row = now[told.delivery.delivery_id]
                assert row.state is S.BOUNCED or (slot is Slot.WRITTEN and row.resent_in_doubt), (row, messages)
        assert left_too_often(self.ledger, self.library.outside.told) == []


@pytest.fixture
def the_same_ids_each_time(monkeypatch):
    """Deliveries are sent in the order of their ids: without this an example would not happen twice alike."""

    def numbered(**values):
        return Delivery(delivery_id=uuid.uuid5(uuid.NAMESPACE_OID, str(next(Year.numbers))), **values)

    monkeypatch.setattr(routing, "Delivery", numbered)


@pytest.mark.usefixtures("the_same_ids_each_time")
def test_the_promises_hold_whatever_happens(postgres_server, ledger_template):
    run_state_machine_as_test(
        lambda: Year(postgres_server, ledger_template),
        settings=settings(
            max_examples=EXAMPLES or sample(12, full=200),
            stateful_step_count=25,
            derandomize=not EXAMPLES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
