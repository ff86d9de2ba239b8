"""What the database itself refuses: a second live claim, and a move that no delivery may make."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy.exc import IntegrityError

from loan_reminders.domain.errors import LedgerUnavailable
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import FREES_SLOT, TRANSITIONS, DeliveryState
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import DUE_DATE, a_delivery, a_loan, a_notice
from tests.scenes.ledger_runs import S, answer, extracted, ids, planned, rows, some_deliveries, states
from tests.simulators.postgres import EmbeddedPostgres

INSERT_DELIVERY = """
    INSERT INTO deliveries (delivery_id, library, run_id, notice_id, stage, channel, slot, recipient, state)
    SELECT :new, library, run_id, notice_id, stage, channel, slot, recipient, :state
    FROM deliveries WHERE delivery_id = :model
"""
INSERT_CLAIM = """
    INSERT INTO delivery_loans (delivery_id, loan_id, due_date, library, stage, slot, live)
    VALUES (:id, :loan_id, :due_date, :library, :stage, :slot, true)
"""
MOVE = "UPDATE deliveries SET state = :state WHERE delivery_id = :id"
LIVE = "SELECT live FROM delivery_loans WHERE delivery_id = :id"

MOVES = [(old, new) for old in DeliveryState for new in DeliveryState if old is not new]
ALLOWED = [(old, new) for old, new in MOVES if new in TRANSITIONS[old]]
ILLEGAL = [(old, new) for old, new in MOVES if new not in TRANSITIONS[old]]


@pytest.fixture(scope="module")
def shared(postgres_server: EmbeddedPostgres, ledger_template: str) -> Iterator[PostgresLedger]:
    """One ledger for all moves: each has a delivery of its own."""
    name = postgres_server.create_database(template=ledger_template)
    with connect(postgres_server.url(name), library="demo") as opened:
        yield opened
    postgres_server.drop_database(name)


def in_state(ledger: PostgresLedger, state: DeliveryState) -> uuid.UUID:
    """A delivery put in a state, with a live claim on a loan of its own."""
    new = uuid.uuid4()
    [model] = some_deliveries(1, prefix=f"{new}")
    planned(ledger, [model], dag_run_id=f"{new}")
    rows(ledger, INSERT_DELIVERY, new=new, model=model.delivery_id, state=state.value)
    claim = {"loan_id": f"other {new}", "due_date": DUE_DATE, "library": "demo", "stage": "overdue_notice"}
    rows(ledger, INSERT_CLAIM, id=new, slot="written", **claim)
    return new


@pytest.mark.parametrize(("old", "new"), ILLEGAL)
def test_an_illegal_move_is_refused(shared: PostgresLedger, old: DeliveryState, new: DeliveryState) -> None:
    delivery = in_state(shared, old)
    with pytest.raises(IntegrityError, match="may not go from"):
        rows(shared, MOVE, state=new.value, id=delivery)
    assert states(shared)[delivery][0] == old.value


@pytest.mark.parametrize(("old", "new"), ALLOWED)
def test_a_legal_move_frees_the_slot_when_nothing_reached_the_reader(
    shared: PostgresLedger, old: DeliveryState, new: DeliveryState
) -> None:
    delivery = in_state(shared, old)
    rows(shared, MOVE, state=new.value, id=delivery)
    assert rows(shared, LIVE, id=delivery) == [(new not in FREES_SLOT,)]


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({}, False),
        ({"slot": "sms"}, True),
        ({"due_date": DUE_DATE.replace(year=2027)}, True),
        ({"stage": "first_reminder"}, True),
        ({"library": "other"}, True),
        ({"loan_id": "L9"}, True),
    ],
)
def test_one_live_claim_per_library_loan_due_date_stage_and_slot(
    ledger: PostgresLedger, change: dict[str, object], allowed: bool
) -> None:
    [delivery] = some_deliveries(1)
    planned(ledger, [delivery])
    other = uuid.uuid4()
    rows(ledger, INSERT_DELIVERY, new=other, model=delivery.delivery_id, state="planned")
    claim = {"loan_id": "L0", "due_date": DUE_DATE, "library": "demo", "stage": "overdue_notice", "slot": "written"}
    if allowed:
        rows(ledger, INSERT_CLAIM, id=other, **{**claim, **change})
    else:
        with pytest.raises(IntegrityError, match="one_live_claim"):
            rows(ledger, INSERT_CLAIM, id=other, **{**claim, **change})


def test_a_letter_may_follow_a_refused_mail_but_not_join_a_sent_one(ledger: PostgresLedger) -> None:
    notice = a_notice(stage=Stage.FIRST_REMINDER, loans=(a_loan(loan_id="A"),))
    other = a_notice(stage=Stage.FIRST_REMINDER, loans=(a_loan(loan_id="B"),))
    refused, sent = a_delivery(notice=notice), a_delivery(notice=other)
    run = planned(ledger, [refused, sent], stage=Stage.FIRST_REMINDER)
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids([refused, sent]))
        sender.record([answer(refused, S.REFUSED), answer(sent, S.ACCEPTED)])

    letters = {
        name: a_delivery(
            channel=Channel.LETTER, notice=a_notice(stage=Stage.FIRST_REMINDER, loans=(a_loan(loan_id=name),))
        )
        for name in ("A", "B")
    }
    again = {"stage": Stage.FIRST_REMINDER}
    planned(ledger, [letters["A"]], dag_run_id="run-2", **again)
    run = extracted(ledger, [a_loan(loan_id="B")], dag_run_id="run-3", **again)
    with pytest.raises(LedgerUnavailable), ledger.planning(run.run_id) as planning:
        planning.record([letters["B"]], [])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE deliveries SET reason = 'because'",
        "UPDATE deliveries SET channel = 'pigeon'",
        "UPDATE runs SET stage = 'Third reminder!'",
        "UPDATE runs SET state = 'lost'",
        "INSERT INTO skips (library, run_id, loan_id, patron_id, reason) SELECT library, run_id, '', '', 'x' FROM runs",
    ],
)
def test_the_lists_are_closed(ledger: PostgresLedger, statement: str) -> None:
    planned(ledger, some_deliveries(1))
    with pytest.raises(IntegrityError, match="_check"):
        rows(ledger, statement)
