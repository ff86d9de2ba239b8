"""Letters in closed batches and in drafts, for the ledger's and the pages' tests."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from loan_reminders.domain.messages import LetterBatch, PlacedLetter
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.ledger_runs import answer, ids, planned, rows, some_deliveries

S = DeliveryState
L, R = Channel.LETTER, Channel.REGISTERED_LETTER


def a_batch(
    deliveries: Sequence[Delivery],
    name: str = "lot",
    *,
    references: Sequence[str] = (),
    pages_each: int = 2,
    draft: bool = False,
    **changes: Any,
) -> LetterBatch:
    """All these letters in one file, one behind the other; a letter's reference names its reader unless given."""
    references = references or [f"REF-{delivery.notice.patron.patron_id}" for delivery in deliveries]
    placed = tuple(
        PlacedLetter(
            delivery_id=delivery.delivery_id,
            reference=reference,
            volume=1,
            first_page=pages_each * number + 1,
            last_page=pages_each * (number + 1),
        )
        for number, (delivery, reference) in enumerate(zip(deliveries, references, strict=True))
    )
    values: dict[str, Any] = {
        "name": name, "pdf": f"{name}/lettres.pdf", "csv": f"{name}/destinataires.csv", "letters": len(placed),
        "pages": pages_each * len(placed), "sha256": "0" * 64, "draft": draft, "placed": placed,
    }  # fmt: skip
    return LetterBatch(**{**values, **changes})


def close_batch(
    ledger: PostgresLedger, deliveries: Sequence[Delivery], batch: LetterBatch, *, dag_run_id: str = "run-1"
) -> tuple[int, int]:
    """A run whose letters are in this closed batch: run, batch."""
    run = planned(ledger, deliveries, stage=deliveries[0].notice.stage, dag_run_id=dag_run_id)
    with ledger.sender(run.run_id, deliveries[0].channel) as sender:
        sender.claim(ids(deliveries))
        batch_id = sender.record_batch(batch, [answer(one, S.ACCEPTED) for one in deliveries])
    return run.run_id, batch_id


def closed(
    ledger: PostgresLedger, count: int = 3, *, channel: Channel = R, prefix: str = "L", **changes: Any
) -> tuple[int, int, tuple[Delivery, ...]]:
    """A run whose letters are in one closed batch: run, batch, deliveries."""
    deliveries = some_deliveries(count, channel=channel, prefix=prefix)
    batch = a_batch(deliveries, f"lot-{prefix}", **changes)
    return *close_batch(ledger, deliveries, batch, dag_run_id=f"run {prefix}"), deliveries


def drafted(ledger: PostgresLedger, count: int = 3) -> tuple[int, int, tuple[Delivery, ...]]:
    """A run whose letters are in a draft and wait."""
    deliveries = some_deliveries(count, channel=R)
    run = planned(ledger, deliveries, stage=Stage.REGISTERED_LETTER)
    with ledger.sender(run.run_id, R) as sender:
        batch_id = sender.record_batch(a_batch(deliveries, "a-valider/lot", draft=True))
    return run.run_id, batch_id, deliveries


def answered_hours_ago(ledger: PostgresLedger, hours: int) -> None:
    """What drafts asked, and what a librarian said of them, is this much older."""
    for table in ("letter_batches", "letter_events", "question_answers"):
        rows(ledger, f"UPDATE {table} SET at = at - CAST(:hours AS integer) * interval '1 hour'", hours=hours)


def events(ledger: PostgresLedger) -> list[tuple[str, str, uuid.UUID | None, str]]:
    found = rows(ledger, "SELECT act, who, delivery_id, detail FROM letter_events ORDER BY event_id")
    return [tuple(row) for row in found]


def followed(ledger: PostgresLedger) -> dict[uuid.UUID, str]:
    return dict(map(tuple, rows(ledger, "SELECT delivery_id, state FROM registered_letters")))
