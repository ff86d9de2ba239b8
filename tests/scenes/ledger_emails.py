"""E-mails that left, and what came back of them, for the ledger's and the pages' tests."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from loan_reminders.domain.email.feedback import Bounce, BounceKind
from loan_reminders.domain.ports.email_feedback import MailSettled
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import a_delivery, a_loan, a_notice, a_patron, an_email
from tests.scenes.ledger_runs import answer, ids, planned, rows

TO = "camille.martin@etu.example.fr"
NOW = datetime(2026, 12, 7, 8, tzinfo=UTC)


def a_bounce(delivery_id: uuid.UUID | None, kind: BounceKind = BounceKind.HARD, **changes: Any) -> Bounce:
    values = {
        "fingerprint": uuid.uuid4().hex,
        "kind": kind,
        "delivery_id": delivery_id,
        "recipient": TO,
        "status": "5.1.1",
        "diagnostic": "550 5.1.1 unknown",
        "received_at": NOW,
        "raw": "Status: 5.1.1",
    }
    return Bounce(**{**values, **changes})


def mailed(
    ledger: PostgresLedger,
    state: DeliveryState | None = DeliveryState.ACCEPTED,
    reason: Reason | None = None,
    to: str = TO,
) -> uuid.UUID:
    """An e-mail that was attempted, with the answer given; None: none yet."""
    loan = a_loan(loan_id=f"L{uuid.uuid4()}", patron=a_patron(email=an_email(to)))
    delivery = a_delivery(notice=a_notice(loans=(loan,)))
    run = planned(ledger, [delivery], dag_run_id=f"run {uuid.uuid4()}")
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids([delivery]))
        if state is not None:
            sender.record([answer(delivery, state, reason)])
    return delivery.delivery_id


def came_back(ledger: PostgresLedger, *bounces: Bounce, failures: int = 3) -> MailSettled:
    """Keep these bounces and settle them."""
    feedback = ledger.mail_feedback()
    feedback.keep(bounces)
    return feedback.settle(failures=failures)


def dead_addresses(ledger: PostgresLedger) -> list[str]:
    """The addresses on the list of those not to use."""
    return [row[0] for row in rows(ledger, "SELECT recipient FROM suppressions WHERE lifted_at IS NULL")]


def mailed_to(ledger: PostgresLedger, *addresses: str) -> dict[str, uuid.UUID]:
    """One run that mailed all of them; the deliveries by address."""
    deliveries = [
        a_delivery(
            notice=a_notice(loans=(a_loan(loan_id=f"M{to}", patron=a_patron(patron_id=to, email=an_email(to))),)),
            recipient=an_email(to),
        )
        for to in addresses
    ]
    run = planned(ledger, deliveries, dag_run_id=f"mass {addresses[0]}")
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids(deliveries))
        sender.record([answer(one, DeliveryState.ACCEPTED) for one in deliveries])
    return {to: one.delivery_id for to, one in zip(addresses, deliveries, strict=True)}


def came_back_in_a_mass(ledger: PostgresLedger, count: int = 6) -> tuple[dict[str, uuid.UUID], MailSettled]:
    """As many e-mails to readers of one domain, and all of them came back in one reading."""
    sent = mailed_to(ledger, *(f"r{n}@univ.example" for n in range(count)))
    return sent, came_back(ledger, *(a_bounce(one, recipient="") for one in sent.values()))
