"""Registered letters in batches that were printed, for the ledger's and the pages' tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from loan_reminders.domain.letters.batches import ReturnReason
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.domain.registered.steps import Acknowledged, Numbered, Posted, Returned
from loan_reminders.domain.registered.tracking_number import TrackingNumber
from loan_reminders.domain.stages import Channel
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import a_delivery, a_loan, a_notice, a_patron
from tests.scenes.ledger_letters import a_batch, close_batch
from tests.scenes.ledger_runs import STAGE_OF, rows

R = Channel.REGISTERED_LETTER
ONE, TWO, THREE = "1A00000000011", "1A00000000022", "RK123456785FR"
PRINTED_AT = datetime(2026, 12, 17, 9, tzinfo=UTC)
MONDAY = date(2026, 12, 21)
NOW = datetime(2026, 12, 22, 10, tzinfo=UTC)


def an_address_of(number: int) -> PostalAddress:
    return PostalAddress(lines=(f"LECTEUR {number}", "12 RUE DES LILAS", "06000 NICE"), postcode="06000")


def some_letters(count: int, *, channel: Channel = R, prefix: str = "L") -> tuple[Delivery, ...]:
    """Letters to as many readers, each with an address, a name and a barcode of their own."""
    return tuple(
        a_delivery(
            channel=channel,
            notice=a_notice(
                stage=STAGE_OF[channel],
                loans=(
                    a_loan(
                        loan_id=f"{prefix}{number}",
                        patron=a_patron(
                            patron_id=f"P{prefix}{number}",
                            name=f"Lecteur {prefix}{number}",
                            barcode=f"21000{prefix}{number}",
                            address=an_address_of(number),
                        ),
                    ),
                ),
            ),
        )
        for number in range(count)
    )


def ref(number: int, prefix: str = "L") -> str:
    return f"R3-261217-{prefix}{number}"


def in_a_batch(
    ledger: PostgresLedger,
    count: int = 2,
    *,
    channel: Channel = R,
    prefix: str = "L",
    printed: bool = True,
    letters: Sequence[Delivery] = (),
) -> tuple[int, tuple[Delivery, ...]]:
    """A closed batch, printed on 17 December 2026 unless told otherwise: its number and its letters."""
    deliveries = tuple(letters) or some_letters(count, channel=channel, prefix=prefix)
    references = [ref(number, prefix) for number in range(len(deliveries))]
    batch = a_batch(
        deliveries, f"lot-{prefix}", references=references, pages_each=1, pdf="lettres.pdf", csv="destinataires.csv"
    )
    _, batch_id = close_batch(ledger, deliveries, batch, dag_run_id=f"run {prefix}")
    if printed:
        assert ledger.letters().mark_printed(batch_id, who="imprimeur")
        rows(ledger, "UPDATE letter_batches SET printed_at = :at WHERE batch_id = :id", at=PRINTED_AT, id=batch_id)
    return batch_id, deliveries


def number(text: str) -> Numbered:
    return Numbered(number=TrackingNumber.parse(text))


def post(day: date = date(2026, 12, 18)) -> Posted:
    return Posted(day=day, today=NOW.date(), zone=UTC)


def acknowledge(day: date = MONDAY) -> Acknowledged:
    return Acknowledged(day=day, today=NOW.date())


def note_return(reason: ReturnReason = ReturnReason.RETURNED_UNDELIVERABLE, day: date = MONDAY) -> Returned:
    return Returned(day=day, today=NOW.date(), reason=reason, since=NOW)


def take(ledger: PostgresLedger, reference: str, *steps: Any, who: str = "zoé") -> None:
    for step in steps:
        ledger.registered().take(step, reference=reference, who=who)


def trace(ledger: PostgresLedger, delivery: Delivery) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """The trace of one letter: act, who, before, after."""
    query = "SELECT act, who, before, after FROM letter_events WHERE delivery_id = :id ORDER BY event_id"
    return [tuple(row) for row in rows(ledger, query, id=delivery.delivery_id)]
