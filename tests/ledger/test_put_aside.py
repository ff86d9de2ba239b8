"""A receipt, a reply, a bounce or a listed number that cannot be true, or held, never holds up the others."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.domain.desk import AsideKind, PutAside
from loan_reminders.domain.loans import RejectedRow
from loan_reminders.domain.messages import Receipt
from loan_reminders.domain.sms.feedback import AckStatus
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from loan_reminders.gateways.sms.allmysms_callback import read_callback
from loan_reminders.ledger.put_aside import each_alone
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.services.email.read_bounces import read_bounces
from loan_reminders.services.sms.feedback import read_blacklist
from tests.scenes.builders import a_loan
from tests.scenes.ledger_emails import a_bounce, mailed
from tests.scenes.ledger_runs import extracted, planned, rows
from tests.scenes.ledger_sms import NUMBER, ack, an_sms, blacklisted, in_force, left, received, reply, state

S, A = DeliveryState, AckStatus
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
IMPOSSIBLE = [
    LONG_AGO,
    datetime(1979, 12, 31, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, tzinfo=UTC),
    datetime.now(UTC) + timedelta(days=3),
]
UNHOLDABLE = "".join(uuid.uuid4().hex for _ in range(300))
"""A text that no index can hold, and that cannot be compressed."""


def listed(ledger: PostgresLedger) -> Sequence[PutAside]:
    now = datetime.now(UTC)
    return ledger.desk().work(since=now - timedelta(days=1), doubtful_before=now).put_aside


def aside(ledger: PostgresLedger) -> list[AsideKind]:
    return [one.kind for one in listed(ledger)]


@pytest.mark.parametrize("moment", IMPOSSIBLE, ids=["year-1", "1979", "year-9999", "in-three-days"])
def test_a_date_that_cannot_be_true_is_unknown_and_stops_nobody(ledger: PostgresLedger, moment: datetime) -> None:
    sms = left(ledger)
    feedback = ledger.feedback()
    feedback.keep_replies([replace(reply("STOP", reply_id="x"), received_at=moment)])
    feedback.keep_acks([replace(ack(A.DELIVERED), received_at=moment)])
    feedback.keep_blacklist([replace(blacklisted("33639980002"), received_at=moment)])
    assert feedback.settle(failures=2).stops == 1
    assert state(ledger, sms) == ("delivered", None)
    assert in_force(ledger) == {NUMBER: "stop", "33639980002": "blacklist"}
    kept = "SELECT received_at FROM sms_replies UNION ALL SELECT received_at FROM sms_acks"
    assert rows(ledger, kept) == [(None,), (None,)]
    assert all(abs(line.since - datetime.now(UTC)) < timedelta(hours=1) for line in feedback.suppressions())
    assert feedback.put_aside() == 0


@pytest.mark.parametrize("moment", IMPOSSIBLE, ids=["year-1", "1979", "year-9999", "in-three-days"])
def test_what_an_older_program_kept_is_settled_as_well(ledger: PostgresLedger, moment: datetime) -> None:
    rows(
        ledger,
        "INSERT INTO sms_replies (library, reply_id, phone_number, text, received_at)"
        " VALUES ('demo', 'old', :number, 'STOP', CAST(:moment AS timestamptz) - interval '1 day')",
        number=NUMBER, moment=moment.isoformat(),
    )  # fmt: skip
    assert ledger.feedback().settle(failures=2).stops == 1
    assert list(in_force(ledger)) == [NUMBER]


@pytest.mark.parametrize("moment", IMPOSSIBLE, ids=["year-1", "1979", "year-9999", "in-three-days"])
def test_a_bounce_of_another_age_marks_its_address_all_the_same(ledger: PostgresLedger, moment: datetime) -> None:
    first, second = mailed(ledger), mailed(ledger, to="other@etu.example.fr")
    feedback = ledger.mail_feedback()
    feedback.keep([a_bounce(first, received_at=moment), a_bounce(second, recipient="other@etu.example.fr")])
    assert feedback.settle(failures=3).dead_addresses == 2


def test_a_row_that_cannot_be_settled_is_put_aside_counted_and_shown(ledger: PostgresLedger) -> None:
    sms = left(ledger)
    feedback = ledger.feedback()
    feedback.keep_acks([ack(A.ON_ITS_WAY, "33639980009", campaign="other")])
    for table, values in (
        ("sms_replies (library, reply_id, phone_number, text)", "'demo', 'huge', :huge, 'STOP'"),
        (
            "sms_acks (library, fingerprint, phone_number, status, sms_id, campaign_id)",
            f"'demo', 'huge', '{NUMBER}', 'on_its_way', :huge, 'ap_1'",
        ),
    ):
        rows(ledger, f"INSERT INTO {table} VALUES ({values})", huge=UNHOLDABLE)
    feedback.keep_replies([reply("STOP", "33639980005", reply_id=f"mo-{place}") for place in range(3)])
    feedback.keep_acks([ack(A.DELIVERED)])
    feedback.settle(failures=2)
    assert state(ledger, sms) == ("delivered", None)
    assert "33639980005" in in_force(ledger)
    assert feedback.put_aside() == 2
    assert {one.kind: one.said.partition(" (SMS")[0] for one in listed(ledger)} == {
        "receipt": "en route",
        "reply": "STOP",
    }
    feedback.settle(failures=2, again=True)
    assert feedback.put_aside() == 0
    assert rows(ledger, "SELECT count(*) FROM sms_replies WHERE settled_at IS NULL") == [(0,)]


def test_a_number_that_the_list_cannot_hold_is_put_aside_and_the_others_join(ledger: PostgresLedger) -> None:
    class Provider:
        def blacklist(self):
            return [blacklisted(NUMBER), blacklisted(UNHOLDABLE), blacklisted("33639980002")]

        def close(self) -> None: ...

    counts = read_blacklist(ledger.feedback(), Provider())
    assert counts == {"blacklisted": 3, "joined": 2, "put_aside": 1}
    assert aside(ledger) == ["blacklist"]
    assert "put_aside" not in read_blacklist(ledger.feedback(), Provider())


def test_bounces_that_cannot_be_settled_leave_the_others_and_the_mailbox(ledger: PostgresLedger, caplog) -> None:
    strange, plain = mailed(ledger), mailed(ledger, to="other@etu.example.fr")

    class Mailbox:
        def waiting(self):
            return 0

        def pages(self):
            return iter(())

        def close(self) -> None: ...

    feedback = ledger.mail_feedback()
    feedback.keep([a_bounce(strange), a_bounce(plain, recipient="other@etu.example.fr")])
    rows(ledger, "UPDATE deliveries SET recipient = :to WHERE delivery_id = :id", to=UNHOLDABLE, id=strange)
    counts = read_bounces(feedback, Mailbox(), failures=3)
    assert (counts["put_aside"], counts["dead_addresses"]) == (1, 1)
    assert "mis de côté" in caplog.text
    assert aside(ledger) == ["bounce"]


@pytest.mark.parametrize(
    "said",
    [
        {"phoneNumber": "9" * 5000},
        {"campaignId": UNHOLDABLE},
        {"smsId": UNHOLDABLE},
        {"statusText": "a\x00b\ud800"},
        {"receptionDate": "0001-01-01"},
        {"receptionDate": "0001-01-01T00:00:00+23:59"},
        {"receptionDate": "9999-12-31T23:59:59-23:59"},
        {"receptionDate": "19/02/2014 11:40"},
        {"receptionDate": "1e999"},
        {"status": "9" * 4000},
    ],
    ids=lambda said: next(iter(said)),
)
def test_nothing_that_a_callback_says_holds_up_the_next(ledger: PostgresLedger, said: dict[str, str]) -> None:
    sms = left(ledger, sms_id="ours")
    feedback = ledger.feedback()
    plain = {"smsId": "x", "phoneNumber": NUMBER, "status": "1", "statusText": "ok", "receptionDate": "2026-11-26"}
    strange = read_callback(plain | said)
    asked = read_callback({"smsMoId": UNHOLDABLE, "message": "\x00\ud800", **plain, **said})
    # What is refused at the door, such as a number of 5,000 digits, never comes as far as the ledger.
    feedback.keep_acks([one for one in (strange,) if one is not None])
    feedback.keep_replies([one for one in (asked,) if one is not None])
    feedback.settle(failures=2)
    received(ledger, ack(A.DELIVERED, sms_id="ours"))
    assert state(ledger, sms) == ("delivered", None)
    assert rows(ledger, "SELECT count(*) FROM sms_acks WHERE settled_at IS NULL") == [(0,)]


@pytest.mark.parametrize(("segments", "cost"), [(10**12, 1e300), (-5, -1.0), (1, float("inf")), (1, float("nan"))])
def test_a_price_that_none_ever_was_loses_no_answer(ledger: PostgresLedger, segments: int, cost: float) -> None:
    delivery = an_sms()
    run = planned(ledger, [delivery])
    with ledger.sender(run.run_id, Channel.SMS) as sender:
        assert sender.claim([delivery.delivery_id])
        told = Receipt(
            delivery_id=delivery.delivery_id, state=S.ACCEPTED, segments=segments, cost=cost, provider_id=UNHOLDABLE
        )
        sender.record([told])
    assert state(ledger, delivery.delivery_id) == ("accepted", None)


def test_only_the_rows_that_are_wrong_by_themselves_are_told_apart() -> None:
    asked: list[int] = []

    def work(some):
        asked.append(len(some))
        if 7 in some or 500 in some:
            raise ValueError
        return len(some)

    done, refused = each_alone(work, range(1000))
    assert sum(done) == 998
    assert [item for item, _ in refused] == [7, 500]
    assert len(asked) < 60


def test_a_ledger_out_of_reach_is_nobodys_fault(ledger: PostgresLedger) -> None:
    def work(some):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        each_alone(work, [1, 2])


def test_a_row_of_the_ils_that_no_index_can_hold_stops_no_run(ledger: PostgresLedger) -> None:
    seen = [a_loan(loan_id=loan_id) for loan_id in ("L1", UNHOLDABLE, "L2")]
    bad = RejectedRow(loan_id=UNHOLDABLE, patron_id=UNHOLDABLE, code="missing", column="due_date", raw={"a": "b"})
    run = extracted(ledger, [*seen, bad])
    assert rows(ledger, "SELECT loan_id FROM loans_seen ORDER BY seq") == [("L1",), ("L2",)]
    skipped = rows(ledger, "SELECT reason, detail, length(loan_id) FROM skips")
    assert skipped == [("invalid_row", "too_large:row", 200)] * 2
    with ledger.planning(run.run_id) as planning:
        assert [len(patron) for page in planning.patrons() for patron in page] == [2]
