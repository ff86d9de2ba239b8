"""Everything that the pages of readers ask the ledger, asked once, for the test of its plans."""

from __future__ import annotations

import uuid
from datetime import timedelta

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.readers.search import ReaderSearch
from loan_reminders.ledger.journal import PostgresFormKeys, PostgresJournal
from loan_reminders.ledger.readers.readers import PostgresReaders
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import a_loan, a_patron
from tests.scenes.ledger_registered import ONE
from tests.scenes.ledger_runs import extracted


def readers(ledger: PostgresLedger) -> None:
    """Ask the ledger all that the pages of readers ask, and the forms of all pages."""
    ours = ledger.part(PostgresReaders)
    a_reader = a_patron(patron_id="W1", barcode="W1", name="Zorglub, Wanda")
    extracted(ledger, [a_loan(loan_id="W1", patron=a_reader)], dag_run_id="run w")
    for text in ("W1", "wanda zorglub", "anda", "zorglbu wanda", "06 12 34 56 01", "x@example.fr", ONE):
        ours.find(ReaderSearch.parse(text), limit=50)
    number = ours.number_of("W1")
    assert number is not None
    assert ours.patron_of(number) == "W1"
    ours.last_messages(["OLD1", "OLD2"])
    assert ours.loans_of("OLD1")
    assert ledger.dispute().files(ours.loans_of("P1")[:8], patron_id="P1")
    journal = ledger.part(PostgresJournal)
    journal.keep_once(who="zoé", act=JournalAct.READER_SEEN, patron_id="W1", within=timedelta(minutes=5))
    keys = ledger.part(PostgresFormKeys)
    for key, led_to in ((uuid.uuid4(), "/lots"), (uuid.uuid4(), "")):
        assert keys.take(key, who="zoé", what="POST/lots").first
        assert not keys.take(key, who="zoé", what="POST/lots").first
        keys.done(key, led_to=led_to)
