"""Holds, and messages sent again to one reader."""

from __future__ import annotations

from datetime import UTC, datetime

from loan_reminders.domain.messages import SentWords
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from loan_reminders.ledger.readers.holds import PostgresHolds
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.runs.resends import PostgresResends
from tests.scenes.builders import DUE_DATE, a_delivery, a_mobile, a_notice
from tests.scenes.holds import hold, lift
from tests.scenes.ledger_letters import closed
from tests.scenes.ledger_runs import answer, ids, keys, some_deliveries
from tests.scenes.ledger_runs import planned as a_planned_run

S = DeliveryState


def held(ledger: PostgresLedger) -> None:
    """Readers and loans not written to: in planning, in what waits, in a closed batch, and on the pages."""
    ours, today = ledger.part(PostgresHolds), DUE_DATE
    delivery = some_deliveries(1, channel=Channel.LETTER, prefix="H")[0]
    patron_id, [key] = delivery.notice.patron.patron_id, keys([delivery])
    run = a_planned_run(ledger, [delivery], dag_run_id="run h", stage=delivery.notice.stage)
    hold(ledger, patron_id, loan_id=key.loan_id, until=today)
    placed = hold(ledger, patron_id, until=today)
    with ledger.planning(run.run_id) as planning:
        planning.held([patron_id])
    with ledger.sender(run.run_id, Channel.LETTER) as sender:
        sender.drop_held(today)
    _, batch_id, _ = closed(ledger, channel=Channel.LETTER, prefix="HB")
    ledger.letters().held(batch_id, today=today)
    ours.decided([key])
    ours.suppressed([a_mobile()])
    ours.of_reader(patron_id)
    ours.held([patron_id], today=today)
    ours.in_force(today=today)
    ours.in_force(today=today, of_loans=True, last_first=True)
    ours.count(today=today)
    lift(ledger, placed)


def resent(ledger: PostgresLedger) -> None:
    email = some_deliveries(1, prefix="again")[0]
    run = a_planned_run(ledger, [email], dag_run_id="run again")
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids([email]))
        sender.record([answer(email, S.ACCEPTED)])
    ours, patron_id = ledger.part(PostgresResends), email.notice.patron.patron_id
    last = ours.last(patron_id, Channel.EMAIL)
    assert last is not None
    assert last.recipient is not None
    again = a_delivery(notice=a_notice(loans=last.loans), recipient=last.recipient)
    ours.resent_on(patron_id, Channel.EMAIL, DUE_DATE)
    ours.last_of_each(patron_id, today=DUE_DATE)
    ours.segments_since(datetime.now(UTC))
    with ours.texting_alone():
        words = SentWords(delivery_id=again.delivery_id, subject="", body="x")
        ours.begin(again, again=last, words=words, who="zoé", today=DUE_DATE, redirected=False)
    ours.end(answer(again, S.ACCEPTED))
