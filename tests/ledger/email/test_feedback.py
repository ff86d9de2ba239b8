"""What the ledger makes of e-mails that came back."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.domain.email.feedback import BounceKind
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import a_delivery, a_loan, a_notice, a_patron
from tests.scenes.ledger_emails import NOW, TO, a_bounce, came_back, dead_addresses, mailed, mailed_to
from tests.scenes.ledger_runs import answer, ids, planned, rows, states

S = DeliveryState


@pytest.mark.parametrize(
    ("kind", "reason", "is_dead"),
    [(BounceKind.HARD, "dead_address", True), (BounceKind.SOFT, "recipient_refused", False)],
)
@pytest.mark.parametrize("state", [S.ACCEPTED, S.IN_DOUBT])
def test_a_bounce_ends_the_email_and_frees_its_slot(ledger, state, kind, reason, is_dead):
    delivery_id = mailed(ledger, state)
    settled = came_back(ledger, a_bounce(delivery_id, kind))
    assert (settled.bounces, settled.moved, settled.unknown, settled.dead_addresses) == (1, 1, 0, int(is_dead))
    assert states(ledger) == {delivery_id: ("bounced", reason)}
    assert rows(ledger, "SELECT live FROM delivery_loans") == [(False,)]
    assert dead_addresses(ledger) == ([TO] if is_dead else [])
    [receipt] = rows(ledger, "SELECT state, reason, raw, applied FROM receipts ORDER BY receipt_id DESC LIMIT 1")
    assert tuple(receipt) == ("bounced", reason, "5.1.1 550 5.1.1 unknown", True)


@pytest.mark.parametrize("state", [S.REFUSED, S.FAILED])
def test_a_final_state_never_changes(ledger, state):
    delivery_id = mailed(ledger, state)
    assert came_back(ledger, a_bounce(delivery_id)).moved == 0
    assert states(ledger)[delivery_id][0] == state.value
    assert dead_addresses(ledger) == [TO]


def test_a_bounce_waits_while_its_email_is_in_its_senders_hands(ledger):
    delivery = a_delivery(notice=a_notice(loans=(a_loan(patron=a_patron()),)))
    run = planned(ledger, [delivery])
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids([delivery]))
        assert came_back(ledger, a_bounce(delivery.delivery_id)).bounces == 0
        sender.record([answer(delivery, S.ACCEPTED)])
    assert ledger.mail_feedback().settle(failures=3).moved == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"delivery_id": None},
        {"delivery_id": uuid.uuid4()},
        {"recipient": "other@etu.example.fr"},
        {"recipient": "xcamille.martin@etu.example.fr"},
    ],
)
def test_a_bounce_that_is_not_about_our_email_is_kept_and_changes_nothing(ledger, changes):
    delivery_id = mailed(ledger)
    settled = came_back(ledger, a_bounce(**{"delivery_id": delivery_id, **changes}))
    assert (settled.unknown, settled.moved, dead_addresses(ledger)) == (1, 0, [])
    assert states(ledger)[delivery_id][0] == "accepted"
    assert rows(ledger, "SELECT delivery_id FROM mail_bounces") == [(None,)]


@pytest.mark.parametrize(
    "changes",
    [{"recipient": ""}, {"recipient": TO.upper().lower()}, {"recipient": "fwd@x.fr", "named": ("y@x.fr", TO)}],
)
def test_the_address_may_be_missing_or_named_elsewhere(ledger, changes):
    assert came_back(ledger, a_bounce(mailed(ledger), **changes)).moved == 1


def test_an_address_with_capitals_is_the_same(ledger):
    delivery_id = mailed(ledger, to="Camille.Martin@etu.example.fr")
    assert came_back(ledger, a_bounce(delivery_id)).moved == 1
    assert dead_addresses(ledger) == ["Camille.Martin@etu.example.fr"]


def test_another_librarys_email_is_not_ours(ledger, ledger_url):
    delivery_id = mailed(ledger)
    with connect(ledger_url, library="other") as other:
        assert came_back(other, a_bounce(delivery_id)).unknown == 1
    assert states(ledger)[delivery_id][0] == "accepted"


def test_an_sms_cannot_bounce_by_mail(ledger):
    from tests.scenes.ledger_sms import left as texted

    assert came_back(ledger, a_bounce(texted(ledger), recipient="")).unknown == 1


def test_the_same_report_is_kept_once(ledger):
    bounce = a_bounce(mailed(ledger))
    feedback = ledger.mail_feedback()
    assert [feedback.keep([bounce, bounce]), feedback.keep([bounce]), feedback.keep([])] == [1, 0, 0]


def test_the_definite_of_two_reports_wins(ledger):
    delivery_id = mailed(ledger)
    came_back(ledger, a_bounce(delivery_id, BounceKind.SOFT), a_bounce(delivery_id, BounceKind.HARD))
    assert states(ledger) == {delivery_id: ("bounced", "dead_address")}


def test_what_postgresql_cannot_store_is_left_out(ledger):
    came_back(ledger, a_bounce(mailed(ledger), diagnostic="a\x00b\ud800", raw="x" * 100_000))
    [[diagnostic, raw]] = rows(ledger, "SELECT diagnostic, raw FROM mail_bounces")
    assert diagnostic.startswith("ab")
    assert len(raw) <= 4_000


def test_what_a_librarian_lifted_stays_lifted_for_older_emails(ledger):
    first, second = mailed(ledger), mailed(ledger)
    came_back(ledger, a_bounce(first))
    rows(ledger, "UPDATE suppressions SET lifted_at = now(), lifted_by = 'anne'")
    assert came_back(ledger, a_bounce(second)).dead_addresses == 0
    assert came_back(ledger, a_bounce(mailed(ledger))).dead_addresses == 1


def soft(ledger: PostgresLedger, delivery_id: uuid.UUID):
    return came_back(ledger, a_bounce(delivery_id, BounceKind.SOFT, status="5.2.2"))


def test_soft_bounces_in_a_row_kill_an_address_whatever_order_they_come_in(ledger):
    sent = [mailed(ledger) for _ in range(3)]
    assert [soft(ledger, one).dead_addresses for one in (sent[2], sent[0], sent[1])] == [0, 0, 1]


def test_an_email_that_left_after_the_latest_bounce_says_nothing_yet(ledger):
    sent = [mailed(ledger) for _ in range(3)]
    mailed(ledger)
    assert [soft(ledger, one).dead_addresses for one in sent] == [0, 0, 1]


def test_an_email_between_that_did_not_bounce_begins_the_row_again(ledger):
    sent = [mailed(ledger) for _ in range(4)]
    assert [soft(ledger, one).dead_addresses for one in (sent[0], sent[1], sent[3])] == [0, 0, 0]
    assert soft(ledger, sent[2]).dead_addresses == 1


def test_what_bounced_before_a_librarian_lifted_it_is_forgiven(ledger):
    for _ in range(3):
        soft(ledger, mailed(ledger))
    assert dead_addresses(ledger) == [TO]
    rows(ledger, "UPDATE suppressions SET lifted_at = now(), lifted_by = 'anne'")
    assert [soft(ledger, mailed(ledger)).dead_addresses for _ in range(3)] == [0, 0, 1]


def test_the_same_email_twice_counts_once(ledger):
    delivery_id = mailed(ledger)
    assert [soft(ledger, delivery_id).dead_addresses for _ in range(4)] == [0, 0, 0, 0]


def test_more_than_a_page_is_settled(ledger, monkeypatch):
    monkeypatch.setattr("loan_reminders.ledger.email.feedback.PAGE", 2)
    settled = came_back(ledger, *(a_bounce(mailed(ledger, to=f"r{n}@x.example"), recipient="") for n in range(5)))
    assert (settled.bounces, settled.moved, settled.dead_addresses) == (5, 5, 5)


def test_two_readers_of_the_mailbox_at_once_settle_each_bounce_once(ledger, ledger_url):
    bounces = [a_bounce(mailed(ledger, to=f"r{n}@x{n}.example"), recipient="") for n in range(10)]
    moved: list[int] = []

    def read() -> None:
        with connect(ledger_url, library="demo") as mine:
            moved.append(came_back(mine, *bounces).moved)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert sum(moved) == 10
    assert rows(ledger, "SELECT count(*) FROM receipts WHERE state = 'bounced'") == [(10,)]


def test_loans_whose_email_came_back_long_ago_are_not_taken_up(ledger):
    from tests.scenes.ledger_runs import opened

    came_back(ledger, a_bounce(mailed(ledger)))
    run = opened(ledger, dag_run_id="next", due_date=NOW.date())
    now = datetime.now(UTC)
    assert len(ledger.loans_of_failed_emails(run.run_id, since=now - timedelta(days=14))) == 1
    assert ledger.loans_of_failed_emails(run.run_id, since=now + timedelta(minutes=1)) == ()


def test_a_line_that_ran_out_gives_way_to_a_dead_address(ledger):
    first = mailed(ledger)
    rows(
        ledger,
        "INSERT INTO suppressions (library, channel, recipient, reason, source, since, until)"
        " VALUES (:library, 'email', :to, 'by_librarian', 'librarian', now() - interval '9 days', now())",
        library=ledger.library,
        to=TO,
    )
    came_back(ledger, a_bounce(first))
    found = rows(ledger, "SELECT reason, lifted_by FROM suppressions ORDER BY suppression_id")
    assert [tuple(row) for row in found] == [("by_librarian", "échéance"), ("hard_bounce", "")]


class TestRedirected:
    """E-mails that went to the address of a trial: what comes back of them says nothing of their readers' own."""

    def redirected(self, ledger):
        delivery_id = mailed(ledger)
        rows(ledger, "UPDATE deliveries SET redirected = true WHERE delivery_id = :one", one=delivery_id)
        return delivery_id

    def test_a_definite_bounce_leaves_the_readers_address_alone(self, ledger):
        delivery_id = self.redirected(ledger)
        settled = came_back(ledger, a_bounce(delivery_id, recipient=""))
        assert (settled.moved, settled.dead_addresses) == (1, 0)
        assert dead_addresses(ledger) == []

    def test_bounces_in_a_row_do_not_count_it(self, ledger):
        earlier = [self.redirected(ledger) for _ in range(2)]
        came_back(ledger, *(a_bounce(one, BounceKind.SOFT, recipient="") for one in earlier))
        assert came_back(ledger, a_bounce(mailed(ledger), BounceKind.SOFT)).dead_addresses == 0
        assert dead_addresses(ledger) == []

    def test_many_at_once_wait_for_nobody(self, ledger):
        sent = mailed_to(ledger, *(f"r{n}@univ.example" for n in range(6)))
        rows(ledger, "UPDATE deliveries SET redirected = true")
        settled = came_back(ledger, *(a_bounce(one, recipient="") for one in sent.values()))
        assert (settled.held, settled.moved, ledger.mail_feedback().held()) == (0, 6, ())
