"""The search for readers, and the page of one."""

from __future__ import annotations

from datetime import timedelta

from loan_reminders.domain.dispute.loan_file import LoanSearch
from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.readers.search import ReaderSearch
from loan_reminders.ledger.dispute.reader_page import PostgresReaderPages
from loan_reminders.ledger.readers.readers import PostgresReaders
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import DUE_DATE
from tests.scenes.ledger_registered import ONE
from tests.scenes.ledger_runs import planned, some_deliveries


def readers(ledger: PostgresLedger) -> None:
    """Readers found by all that a librarian may have of them, and what the page of one reader asks."""
    [delivery] = some_deliveries(1, prefix="SEARCHED")
    planned(ledger, [delivery], dag_run_id="run searched")
    patron, loan_id = delivery.notice.patron, delivery.notice.loans[0].loan_id
    ours = ledger.part(PostgresReaders)
    typed = (
        "SEARCHED",
        "old7@example.fr",
        "06 12 34 56 78",
        ONE,
        patron.name,
        patron.name[:-2],
        patron.name[1:],
    )
    for text in typed:
        ours.find(ReaderSearch.parse(text), limit=20)
    number = ours.number_of(patron.patron_id)
    assert number is not None
    assert ours.reader(number) is not None
    ours.last_messages(["OLD7", patron.patron_id])
    loans = [one.loan_id for one in ours.loans_of(patron.patron_id)]
    assert loan_id in loans
    with ledger.part(PostgresReaderPages).opened() as page:
        assert page.files.files(loans, patron_id=patron.patron_id)
        # What is about paper is asked for whoever got some alone.
        on_paper = [one.loan_id for one in page.files.find(LoanSearch(tracking_number=ONE))]
        assert [one.deliveries[0].steps for one in page.files.files(on_paper, patron_id="")]
        page.resends.last_of_each(patron.patron_id, today=DUE_DATE)
        page.holds.of_reader(patron.patron_id)
        page.holds.not_listed({LoanKey(loan_id=loan_id, due_date=DUE_DATE): DUE_DATE}, first=-2, last=21)
        for _ in range(2):
            page.journal.keep_once(
                who="zoé", act=JournalAct.READER_SEEN, patron_id=patron.patron_id, within=timedelta(minutes=5)
            )
