"""Letters in closed batches and in drafts, for the ledger's tests."""

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


def a_batch(deliveries: Sequence[Delivery], name: str = "lot", *, draft: bool = False, **changes: Any) -> LetterBatch:
    placed = tuple(
        PlacedLetter(
            delivery_id=delivery.delivery_id,
            reference=f"REF-{delivery.notice.patron.patron_id}",
            volume=1,
            first_page=2 * number - 1,
            last_page=2 * number,
        )
        for number, delivery in enumerate(deliveries, start=1)
    )
    values: dict[str, Any] = {
        "name": name, "pdf": f"{name}/lettres.pdf", "csv": f"{name}/destinataires.csv", "letters": len(placed),
        "pages": 2 * len(placed), "sha256": "0" * 64, "draft": draft, "placed": placed,
    }  # fmt: skip
    return LetterBatch(**{**values, **changes})


def closed(
    ledger: PostgresLedger, count: int = 3, *, channel: Channel = R, prefix: str = "L", **changes: Any
) -> tuple[int, int, tuple[Delivery, ...]]:
    """A run whose letters are in one closed batch: run, batch, deliveries."""
    deliveries = some_deliveries(count, channel=channel, prefix=prefix)
    run = planned(ledger, deliveries, stage=deliveries[0].notice.stage, dag_run_id=f"run {prefix}")
    with ledger.sender(run.run_id, channel) as sender:
        sender.claim(ids(deliveries))
        batch = a_batch(deliveries, f"lot-{prefix}", **changes)
        batch_id = sender.record_batch(batch, [answer(one, S.ACCEPTED) for one in deliveries])
    return run.run_id, batch_id, deliveries


def drafted(ledger: PostgresLedger, count: int = 3) -> tuple[int, int, tuple[Delivery, ...]]:
    """A run whose letters are in a draft and wait."""
    deliveries = some_deliveries(count, channel=R)
    run = planned(ledger, deliveries, stage=Stage.REGISTERED_LETTER)
    with ledger.sender(run.run_id, R) as sender:
        batch_id = sender.record_batch(a_batch(deliveries, "a-valider/lot", draft=True), [])
    return run.run_id, batch_id, deliveries


def events(ledger: PostgresLedger) -> list[tuple[str, str, uuid.UUID | None, str]]:
    found = rows(ledger, "SELECT act, who, delivery_id, detail FROM letter_events ORDER BY event_id")
    return [tuple(row) for row in found]


def followed(ledger: PostgresLedger) -> dict[uuid.UUID, str]:
    return dict(map(tuple, rows(ledger, "SELECT delivery_id, state FROM registered_letters")))
