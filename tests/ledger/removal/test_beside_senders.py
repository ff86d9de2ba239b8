"""A page of a removal lasts a moment, and while it is open messages are sent, receipts settled and runs closed."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext
from datetime import timedelta

import pytest

from loan_reminders.domain.sms.feedback import AckStatus
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.removal.removal import CONTACTS, LOANS, NEVER_ASKED, READERS, RUNS, PostgresRetention
from tests.scenes.builders import a_delivery, a_loan, a_mobile, a_notice, a_patron, an_email
from tests.scenes.ledger_runs import answer, ids, planned, rows, some_deliveries
from tests.scenes.ledger_sms import ack, state
from tests.scenes.planted import LONG_AFTER, NUMBER, OLD, TERMS, Planted, plant, strays

IN_GOOD_TIME_S = 30
"""For whoever waits for nobody, on the slowest machine; who waits for the page waits for ever."""
A_PAGE = {LOANS: 200, NEVER_ASKED: 200, RUNS: 20}
"""How many rows a transaction takes at most: known here, so that nobody raises it without a thought of who waits."""
ROWS_OF_A_PAGE = 500
DUE = LONG_AFTER - timedelta(days=1)
"""Of this morning's loans: figures of the runs of a day are counted together, those of other days are not touched."""


@pytest.fixture
def old(ledger, tmp_path):
    """Readers, messages, letters and answers whose time has come."""
    readers = [Planted(number=number) for number in (1, 2, 3)]
    plant(ledger, tmp_path, readers)
    strays(ledger, tmp_path, 9)
    rows(ledger, "UPDATE suppressions SET since = :day, at = :day", day=OLD)
    for table in ("sms_acks", "sms_replies"):  # settled long ago: what still waits is settled by one at a time
        rows(ledger, f"UPDATE {table} SET settled_at = now()")
    return ledger


def a_morning(url, done):
    """An SMS and an e-mail are planned, claimed, sent and recorded; the receipt is settled; the run is closed."""
    with connect(url, library="demo") as ledger:
        sms, mail = (
            a_delivery(channel=channel, recipient=recipient, notice=a_notice(loans=(
                a_loan(loan_id=f"NEW {channel}", due_date=DUE, patron=a_patron(patron_id=f"PNEW {channel}")),
            )))
            for channel, recipient in ((Channel.SMS, a_mobile(NUMBER.format(77))), (Channel.EMAIL, an_email()))
        )  # fmt: skip
        days = {"due_date": DUE, "reference_date": DUE + timedelta(days=1), "today": DUE + timedelta(days=1)}
        run = planned(ledger, [sms, mail], dag_run_id="this morning", **days)
        for delivery in (sms, mail):
            with ledger.sender(run.run_id, delivery.channel) as sender:
                assert sender.claim(ids([delivery]))
                sender.record([answer(delivery, DeliveryState.ACCEPTED, campaign_id="ap_1")])
        done.append("sent")
        ledger.close_run(run.run_id)
        done.append("closed")
        feedback = ledger.feedback()
        feedback.keep_acks([ack(AckStatus.DELIVERED, NUMBER.format(77))])
        feedback.settle(failures=2)
        assert state(ledger, sms.delivery_id) == ("delivered", None)
        done.append("settled")


@pytest.mark.parametrize("kind", [LOANS, RUNS, "answers 0", "answers 1", "answers 5", READERS, CONTACTS])
def test_while_a_page_is_open_others_send_settle_and_close(old, ledger_url, kind):
    done: list[str] = []
    work = threading.Thread(target=a_morning, args=(ledger_url, done))
    if kind in (READERS, CONTACTS):
        old.part(PostgresRetention).remove(LOANS, TERMS, after=None, rehearse=False, who="relances")
    if kind == CONTACTS:
        old.part(PostgresRetention).remove(READERS, TERMS, after=None, rehearse=False, who="relances")
    with old.engine.begin() as connection:
        removal = PostgresRetention(lambda: nullcontext(connection), library="demo")
        removed, _ = removal.remove(kind, TERMS, after=None, rehearse=False, who="relances")
        assert any(removed.counts().values()), kind
        work.start()
        # The list of suppressions is changed by one at a time: a receipt waits for a page of it, and for nothing else.
        wanted = ["sent", "closed"] if kind == CONTACTS else ["sent", "closed", "settled"]
        until = time.monotonic() + IN_GOOD_TIME_S
        while done != wanted and time.monotonic() < until:
            work.join(0.05)
        assert done == wanted
    work.join(IN_GOOD_TIME_S)
    assert done == ["sent", "closed", "settled"]


@pytest.mark.parametrize("kind", [LOANS, NEVER_ASKED])
def test_a_page_has_two_hundred_loans(ledger, kind):
    told = some_deliveries(A_PAGE[kind] + 9, prefix="MANY")
    run = planned(ledger, told)
    ledger.close_run(run.run_id)
    rows(ledger, "UPDATE runs SET state = 'closed'")
    ended = "ended_on = :day, how = 'returned'" if kind == LOANS else "ended_on = NULL"
    rows(ledger, f"UPDATE loan_ends SET open_on = :day, {ended}", day=OLD)
    assert sizes(ledger, kind, "loans") == [A_PAGE[kind], 9, 0]


def test_a_page_has_twenty_runs(ledger):
    for number in range(A_PAGE[RUNS] + 3):
        planned(ledger, some_deliveries(1, channel=Channel.EMAIL, prefix=f"R{number}-"), dag_run_id=f"dry {number}",
                dry_run=True)  # fmt: skip
    assert sizes(ledger, RUNS, "others") == [3 * A_PAGE[RUNS], 3 * 3, 0]  # a loan seen, a delivery, a notice each


@pytest.mark.parametrize(
    ("kind", "number", "fill"),
    [
        ("answers 1", "others", "INSERT INTO sms_replies (library, reply_id, phone_number, text, at)"
         " SELECT 'demo', n, '33600000000', '', :day FROM generate_series(1, :rows) AS n"),
        (READERS, "readers", "INSERT INTO readers (library, patron_id, name, last_seen_on)"
         " SELECT 'demo', n, '', :day FROM generate_series(1, :rows) AS n"),
        (CONTACTS, "contacts", "INSERT INTO suppressions (library, channel, recipient, reason, source, since, at)"
         " SELECT 'demo', 'sms', n, 'stop', 'reply', :day, :day FROM generate_series(1, :rows) AS n"),
    ],
)  # fmt: skip
def test_a_page_has_five_hundred_rows(ledger, kind, number, fill):
    rows(ledger, fill, day=OLD, rows=ROWS_OF_A_PAGE + 9)
    assert sizes(ledger, kind, number)[:2] == [ROWS_OF_A_PAGE, 9]


def sizes(ledger, kind, number):
    """How many each page of a kind removed."""
    removal, after, found = ledger.part(PostgresRetention), None, []
    while True:
        removed, after = removal.remove(kind, TERMS, after=after, rehearse=False, who="relances")
        found.append(removed.counts()[number])
        if after is None:
            return found
