"""Several senders of one run, each on its share: they do not meet, and none speaks for another."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from loan_reminders.domain.email.share import Share
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import Reason
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import DUE_DATE
from tests.scenes.ledger_runs import S, answer, dead_sender, ids, keys, offered, planned, some_deliveries, states

E = Channel.EMAIL
LEFT, RIGHT = Share(number=1, of=2), Share(number=2, of=2)


def halves(ledger: PostgresLedger, each: int = 3) -> tuple[int, Sequence[Delivery], Sequence[Delivery]]:
    """A run with so many deliveries in each of two shares."""
    some = some_deliveries(2 * each)
    left = [replace(one, delivery_id=uuid.UUID(int=1 + place)) for place, one in enumerate(some[:each])]
    right = [replace(one, delivery_id=uuid.UUID(int=2**127 + place)) for place, one in enumerate(some[each:])]
    return planned(ledger, [*left, *right]).run_id, left, right


def test_each_sender_is_offered_its_share_and_all_of_it(ledger: PostgresLedger) -> None:
    run_id, left, right = halves(ledger)
    with ledger.sender(run_id, E, share=LEFT) as one, ledger.sender(run_id, E, share=RIGHT) as two:
        assert offered(one, page_size=2) == left
        assert offered(two, page_size=2) == right
        assert one.waiting_loans() == set(keys(left))
    with ledger.sender(run_id, E) as whole:
        assert offered(whole) == [*left, *right]


def test_what_a_sender_takes_out_or_gives_up_is_of_its_share(ledger: PostgresLedger) -> None:
    run_id, left, right = halves(ledger)
    with ledger.sender(run_id, E, share=LEFT) as one, ledger.sender(run_id, E, share=RIGHT) as two:
        for sender, mine in ((one, left), (two, right)):
            sender.claim(ids(mine[:1]))
            sender.record([answer(mine[0], S.PLANNED, Reason.RECIPIENT_DEFERRED)])
        assert one.fail_deferred() == 1
        assert one.drop(dict.fromkeys(keys([left[1], right[1]]), Reason.RETURNED)) == 1
        assert one.cancel_waiting(Reason.SUPERSEDED) == 1
    found = states(ledger)
    assert [found[one.delivery_id] for one in left] == [
        ("failed", "retries_exhausted"), ("cancelled", "returned"), ("cancelled", "superseded"),
    ]  # fmt: skip
    assert {found[one.delivery_id][0] for one in right} == {"planned"}


def test_holds_are_taken_out_of_a_share_alone(ledger: PostgresLedger) -> None:
    from tests.scenes.ledger_runs import rows

    run_id, left, right = halves(ledger, each=1)
    for one in (*left, *right):
        rows(
            ledger,
            "INSERT INTO holds (library, patron_id, loan_id, reason, until, who)"
            " VALUES ('demo', :patron, '', 'dispute', '2100-01-01', 'test')",
            patron=one.notice.patron.patron_id,
        )
    with ledger.sender(run_id, E, share=LEFT) as sender:
        assert sender.drop_held(DUE_DATE + timedelta(days=1)) == 1
    assert {one: state for one, (state, _) in states(ledger).items()} == {
        left[0].delivery_id: "cancelled", right[0].delivery_id: "planned",
    }  # fmt: skip


def test_a_refused_volume_cancels_every_share(ledger: PostgresLedger) -> None:
    run_id, left, right = halves(ledger)
    assert ledger.cancel_waiting(run_id, Reason.NOT_APPROVED, [E]) == len(left) + len(right)


def test_what_a_dead_sender_held_is_offered_to_whoever_has_its_share_now(ledger: PostgresLedger) -> None:
    """The shares may be cut anew in between: two senders then find what one dead sender held, at the same time."""
    run_id, left, right = halves(ledger)
    with dead_sender(ledger, ledger.run(run_id), E) as dying:
        dying.claim(ids([*left, *right]))
    with ledger.sender(run_id, E, share=RIGHT) as two, ledger.sender(run_id, E, share=LEFT) as one:
        assert offered(one) == left
        assert offered(two) == right


def test_two_that_look_for_the_dead_at_once_both_find_them(ledger: PostgresLedger) -> None:
    from loan_reminders.ledger import sender_sql

    run_id, left, _ = halves(ledger)
    with dead_sender(ledger, ledger.run(run_id), E) as dying:
        dying.claim(ids(left))
    asked = {"library": "demo", "run_id": run_id, "channel": "email", "offered": ["planned", "in_doubt"]}
    with ledger.engine.begin() as looking:
        looking.execute(sender_sql.COUNT_OFFERED, asked)  # its locks last until the transaction ends
        assert ledger.planned_count(run_id, E) == 6


def test_a_sender_is_told_of_refusals_to_others_that_were_served_nobody(ledger: PostgresLedger) -> None:
    run_id, left, right = halves(ledger)
    with ledger.sender(run_id, E, share=LEFT) as one, ledger.sender(run_id, E, share=RIGHT) as two:
        one.claim(ids(left))
        two.claim(ids(right))
        one.record([answer(left[0], S.PLANNED, Reason.RECIPIENT_REFUSED, raw="550 no")])
        one.record([answer(left[1], S.PLANNED, Reason.RECIPIENT_DEFERRED, raw="451 later")])
        assert [(found.raw, found.put_off) for found in two.refused_elsewhere()] == [
            ("550 no", False), ("451 later", True),
        ]  # fmt: skip
        assert one.refused_elsewhere() == ()
        one.record([answer(left[2], S.ACCEPTED)])
        assert two.refused_elsewhere() == ()
    with ledger.sender(run_id, E) as whole:
        assert whole.refused_elsewhere() == ()


def test_a_sender_knows_whether_it_is_the_last(ledger: PostgresLedger) -> None:
    run_id, left, right = halves(ledger, each=1)
    with ledger.sender(run_id, E, share=LEFT) as one, ledger.sender(run_id, E, share=RIGHT) as two:
        one.claim(ids(left))
        one.record([answer(left[0], S.ACCEPTED)])
        assert one.others_at_work()
        two.claim(ids(right))
        assert one.others_at_work()
        assert not two.others_at_work()
        two.record([answer(right[0], S.ACCEPTED)])
        assert not one.others_at_work()
