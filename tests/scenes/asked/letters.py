"""Letters: batches, drafts, registered letters."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from loan_reminders.domain.errors import LetterStepRefused
from loan_reminders.domain.letters.batch_list import BatchColumn, BatchQuery, LetterColumn, LetterQuery
from loan_reminders.domain.letters.batches import BatchState, RegisteredState
from loan_reminders.domain.ports.registered import NumberLine
from loan_reminders.domain.registered.tracking_number import TrackingNumber
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import Reason
from loan_reminders.ledger.letters.print_checks import PostgresPrintChecks
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.ledger_letters import a_batch, closed
from tests.scenes.ledger_registered import ONE, TWO, acknowledge, in_a_batch, note_return, number, post, ref
from tests.scenes.ledger_runs import planned as a_planned_run
from tests.scenes.ledger_runs import some_deliveries


def letters(ledger: PostgresLedger) -> None:
    books = ledger.letters()
    _, batch_id, (one, two, _) = closed(ledger, channel=Channel.LETTER, prefix="B")
    books.batches()
    books.batches(states=(BatchState.READY,))
    books.batch(batch_id)
    books.letters_of(batch_id)
    books.places_of(batch_id)
    books.told_later(batch_id)
    books.to_dead_addresses(batch_id)
    for column in LetterColumn:
        books.some_letters_of(batch_id, LetterQuery(column=column, staying=True, descending=True))
    for batch_column in BatchColumn:
        books.listed(BatchQuery(column=batch_column))
    books.listed(BatchQuery(stage=Stage.FIRST_REMINDER, branch="", state=BatchState.READY, day=date(2026, 11, 1)))
    checks = ledger.part(PostgresPrintChecks)
    key = checks.start(batch_id, who="zoé", loans=3)
    assert key is not None
    checks.progress(key, asked=1)
    checks.answered(key, returned=1, renewed=0, partly=["R"], superseded=1, dead_address=1)
    checks.failed(key, problem="")
    checks.check(batch_id)
    assert books.letter("REF-PB0") is not None
    books.leave_out(batch_id, {one.delivery_id: Reason.RETURNED}, who="zoé")
    books.mark_printed(batch_id, who="zoé")
    books.went_to_provider(batch_id)
    books.note_given_again(batch_id, who="zoé")
    books.note_download(batch_id, "liste", who="zoé")
    books.note_copy(batch_id, two.delivery_id, who="zoé")
    ledger.desk().note_return("REF-PB1", since=datetime.now(UTC), who="zoé")
    closed(ledger, channel=Channel.LETTER, prefix="T", trial=True)


def drafts(ledger: PostgresLedger) -> None:
    for prefix in ("D", "E"):
        deliveries = some_deliveries(3, channel=Channel.REGISTERED_LETTER, prefix=prefix)
        run = a_planned_run(ledger, deliveries, stage=Stage.REGISTERED_LETTER, dag_run_id=f"run {prefix}").run_id
        with ledger.sender(run, Channel.REGISTERED_LETTER) as sender:
            sender.record_batch(a_batch(deliveries, f"a-valider/{prefix}", draft=True))
        ledger.letters().batches_recorded(run)
        ours = ledger.drafts()
        ours.drafts_recorded(run)
        ours.drafts(run)
        ours.letters(run)
        if prefix == "D":
            ours.approve(run, taken_out=[deliveries[0].delivery_id], who="zoé")
            ours.approved(run)
            ours.abandon(run)
        else:
            ours.refuse(run, who="zoé")
        ours.abandoned(run)


def registered(ledger: PostgresLedger) -> None:
    books = ledger.registered()
    batch_id, (one, two, *_) = in_a_batch(ledger, 4, prefix="R")
    books.take(number(ONE), reference=ref(0, "R"), who="zoé")
    with pytest.raises(LetterStepRefused):
        books.take(number(TWO), reference="REF-UNKNOWN", who="zoé")
    line = NumberLine(line=2, reference=ref(1, "R"), number=TrackingNumber.parse(TWO))
    books.attach_all(
        [line, NumberLine(line=3, reference="NOBODY", number=TrackingNumber.parse("1A00000099999"))], who="z"
    )
    books.batches_to_post()
    books.post_batch(batch_id, post(), who="zoé")
    books.take(acknowledge(), number=ONE, who="zoé")
    books.take(note_return(), number=TWO, who="zoé")
    books.undo(two.delivery_id, who="zoé")
    books.letter(one.delivery_id)
    books.counts()
    books.overdue(posted_before=date(2026, 12, 30))
    for state in RegisteredState:
        books.in_state(state)
        books.in_state(state, oldest_first=True, offset=50)
    books.find(reference=ref(2, "R"))
    books.find(number=TWO)
    assert books.search(["21000R2"])
    assert books.search([ONE, ref(1, "R"), "PR3"])
