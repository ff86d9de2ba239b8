"""What comes back: receipts and replies of SMS, bounces of e-mails; and what no index can hold."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from loan_reminders.domain.desk import DeskAsked, DeskList, ReplyToRead
from loan_reminders.domain.email.feedback import BounceKind
from loan_reminders.domain.sms.feedback import AckStatus
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.ledger.email.shared_mailbox import PostgresSharedMailbox
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.sms.shared_account import PostgresSharedAccount
from tests.scenes.builders import a_mobile
from tests.scenes.ledger_emails import a_bounce
from tests.scenes.ledger_runs import answer, ids, rows, some_deliveries
from tests.scenes.ledger_runs import planned as a_planned_run
from tests.scenes.ledger_sms import ack, blacklisted, left, reply

S = DeliveryState
UNHOLDABLE = "".join(uuid.uuid4().hex for _ in range(300))
"""A text that no index can hold, and that cannot be compressed."""


def feedback(ledger: PostgresLedger) -> None:
    ours = ledger.feedback()
    left(ledger, "33612345601", campaign="new", sms_id="new-1")
    left(ledger, "33612345602", S.REFUSED, Reason.INVALID_RECIPIENT, campaign="new")
    ours.campaigns_to_ask(datetime.now(UTC) - timedelta(days=7))
    ours.campaigns_since(datetime.now(UTC) - timedelta(days=7))
    shared = ledger.part(partial(PostgresSharedAccount, others=["another library"]))
    ours.keep_acks(shared.keep_theirs([ack(AckStatus.NOT_DELIVERED, "33612345601", campaign="new", sms_id="new-1")]))
    ours.keep_replies([reply("STOP", "33612345603", reply_id="new")])
    ours.settle(failures=1, again=True)
    came = [reply("rendu lundi", "33612345601", reply_id="to read")]
    assert ours.last_sms(came)[0] is not None
    ours.keep_replies(came)
    [waiting] = [one for one in a_page(ledger) if one.text == "rendu lundi"]
    assert ledger.desk().phone_of_reply(waiting.reply_number) == "33612345601"
    assert ledger.desk().settle_reply(waiting.reply_number, who="zoé")
    ours.keep_blacklist([blacklisted("33612345604")])
    ours.keep_acks([ack(AckStatus.DELIVERED, "3" * 15, sms_id="x")])
    rows(ledger, "INSERT INTO sms_replies (library, reply_id, phone_number, text)"
         " VALUES (:library, 'huge', :n, 'STOP')",
         library=ledger.library, n=UNHOLDABLE)  # fmt: skip
    rows(ledger, "INSERT INTO sms_acks (library, fingerprint, phone_number, status, sms_id, campaign_id)"
         " VALUES (:library, 'huge', '33612345605', 'delivered', :n, 'huge')",
         library=ledger.library, n=UNHOLDABLE)  # fmt: skip
    left(ledger, "33612345605", campaign="huge")
    ours.settle(failures=1)
    assert ours.put_aside() == 2
    ours.suppress(a_mobile("33612345606"), who="zoé")
    [line] = [one for one in ours.suppressions(recipient="33612345606") if one.in_force]
    ours.lift(line.suppression_id, who="zoé")
    ours.suppressions()
    ours.suppressions(in_force=True, oldest_first=True, limit=51)
    ours.summary()


def a_page(ledger: PostgresLedger) -> Sequence[ReplyToRead]:
    now = datetime.now(UTC)
    return ledger.desk().work(since=now, doubtful_before=now, limit=50, asked=DeskAsked(only=DeskList.REPLIES)).replies


def bounces(ledger: PostgresLedger) -> None:
    ours = ledger.mail_feedback()
    for kind in (BounceKind.HARD, BounceKind.SOFT):
        delivery = some_deliveries(1, prefix=f"M{kind}")[0]
        run = a_planned_run(ledger, [delivery], dag_run_id=f"run m {kind}")
        with ledger.sender(run.run_id, Channel.EMAIL) as sender:
            sender.claim(ids([delivery]))
            sender.record([answer(delivery, S.ACCEPTED)])
        ours.keep([a_bounce(delivery.delivery_id, kind)])
        ours.settle(failures=1)
    strange = some_deliveries(1, prefix="strange")[0]
    run = a_planned_run(ledger, [strange], dag_run_id="run strange")
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids([strange]))
        sender.record([answer(strange, S.ACCEPTED)])
    ours.keep([a_bounce(strange.delivery_id)])
    # An address that the index of the list cannot hold.
    rows(ledger, "UPDATE deliveries SET recipient = :to WHERE delivery_id = :id", id=strange.delivery_id, to=UNHOLDABLE)
    ours.settle(failures=1)
    assert ours.put_aside() == 1
    ledger.part(partial(PostgresSharedMailbox, others=["another library"])).keep_theirs(
        [a_bounce(delivery.delivery_id)]
    )
