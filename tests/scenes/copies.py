"""How often one message left, held against what the ledger says of it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable

from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.ledger_runs import rows
from tests.scenes.outside import Told

INTERRUPTED = "SELECT delivery_id FROM receipts WHERE state = 'in_doubt' AND reason = 'interrupted'"


def left_too_often(ledger: PostgresLedger, told: Iterable[Told]) -> list[uuid.UUID]:
    """Messages that left more often than once, once after a doubt, and once for each sender that died with it."""
    interrupted = Counter(one for (one,) in rows(ledger, INTERRUPTED))
    left = Counter(one.delivery.delivery_id for one in told)
    return [one for one, times in left.items() if times > 2 + interrupted[one]]
