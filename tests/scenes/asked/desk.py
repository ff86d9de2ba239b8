"""The desk, the first page, the file of a dispute."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from loan_reminders.domain.desk import EVERYTHING, DeskAsked
from loan_reminders.domain.dispute.loan_file import LoanSearch
from loan_reminders.domain.stages import Stage
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.runs.today import PostgresToday
from tests.scenes.disputed_loan import a_whole_story
from tests.scenes.ledger_registered import ONE

ZONE = "Europe/Paris"


def pages(ledger: PostgresLedger) -> None:
    now = datetime.now(UTC)
    desk = ledger.desk()
    for asked in (EVERYTHING, DeskAsked(oldest_first=True, stage=Stage.FIRST_REMINDER, offset=50)):
        desk.work(
            since=now - timedelta(days=30), doubtful_before=now, sent_since=now - timedelta(days=366), asked=asked
        )
    desk.settle(uuid.uuid4(), who="zoé")
    a_whole_story(ledger, item_barcode="NEW1")
    ledger.keep_sms_credit(900, at=now)
    # The day of the old ledger's last runs, and one so far away that no run is near it.
    for moment in (datetime(2026, 11, 1, 12, tzinfo=UTC), datetime(2036, 11, 1, 12, tzinfo=UTC)):
        ledger.part(PostgresToday).today(moment, zone=ZONE)
    dispute = ledger.dispute()
    for search in ({"loan_id": "L1"}, {"item_barcode": "NEW1"}, {"reference": "R1-7ZK3QD4M"}, {"tracking_number": ONE}):
        assert dispute.find(LoanSearch(**search))
    assert dispute.file("L1") is not None
