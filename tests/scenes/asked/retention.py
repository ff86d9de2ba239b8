"""What is removed at night, and what keeps it: disputes, hashes, batches of which no letter is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import text

from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.retention.terms import Terms
from loan_reminders.domain.suppressions.suppression import SuppressionReason, SuppressionSource
from loan_reminders.ledger.removal import aged
from loan_reminders.ledger.removal.batches import forget_batch
from loan_reminders.ledger.removal.loans import remove_page
from loan_reminders.ledger.removal.removal import PostgresRetention
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.retention.disputes import PostgresDisputes
from loan_reminders.ledger.retention.fingerprints import erased, make_fingerprints
from loan_reminders.ledger.runs.close import close_books
from loan_reminders.ledger.suppressions import suppression_list
from tests.scenes.builders import a_delivery, a_notice, a_patron, some_loans
from tests.scenes.ledger_runs import planned, rows, some_deliveries

TODAY = date(2031, 1, 1)
TERMS = Terms.on(TODAY, loan_months=4, reader_months=12)


def retention(ledger: PostgresLedger) -> None:
    """One passage a page of each kind, on a ledger whose loans of one run ended, or are asked about no more."""
    told = some_deliveries(4, prefix="gone")
    two = some_loans(2, loan_id="both", patron=a_patron(patron_id="PTWO"))
    two = (two[0], replace(two[1], loan_id="one stays"))
    told = (*told, a_delivery(notice=a_notice(loans=two)))
    run = planned(ledger, told, dag_run_id="run gone")
    ledger.close_run(run.run_id)
    rows(
        ledger,
        "UPDATE loan_ends SET ended_on = :day, how = 'returned' WHERE loan_id IN ('gone0', 'gone1', 'both')",
        day=TODAY,
    )
    rows(ledger, "UPDATE loan_ends SET ended_on = ended_on - 400 WHERE loan_id IN ('gone0', 'gone1', 'both')")
    rows(ledger, "UPDATE runs SET books = NULL WHERE run_id = :run", run=run.run_id)
    with ledger.engine.begin() as connection:
        close_books(connection, run.run_id)
    _disputes(ledger)
    ours = ledger.part(PostgresRetention)
    for kind in ours.kinds:
        ours.remove(kind, TERMS, after=None, rehearse=False, who="zoé")
        ours.remove(kind, TERMS, after=None, rehearse=True, who="zoé")
    _one_page(ledger)
    for batch_id, _ in ours.empty_batches(TERMS, after=0):
        ours.forget_batch(batch_id, TERMS, who="zoé")
    with ledger.engine.begin() as connection:
        forget_batch(connection, ledger.library, 0)
    [(first,)] = rows(ledger, "SELECT min(run_id) FROM runs WHERE library = :library", library=ledger.library)
    ours.unknown_folders(TERMS, {f"first_reminder-2026-11-01-{first}-1": first})
    ours.count_folder(TERMS, who="zoé")
    ours.tell()
    _comes_back(ledger)


def _disputes(ledger: PostgresLedger) -> None:
    disputes = ledger.part(PostgresDisputes)
    patron = disputes.reader_of("gone3")
    flag = disputes.note(patron_id=patron, loan_id="gone3", until=TODAY, reason="x", who="zoé", today=TODAY)
    disputes.of_reader(patron, today=TODAY)
    disputes.open(today=TODAY)
    disputes.close(flag.dispute_id, who="zoé", today=TODAY)


def _one_page(ledger: PostgresLedger) -> None:
    """Loans of which a message stays; a loan that nobody asked about; rows by their age."""
    with ledger.engine.begin() as connection:
        make_fingerprints(connection, ledger.library)
        for ended in (True, False):
            remove_page(connection, ledger.library, TERMS, ended=ended, after=None, page=2)
        old = Terms.on(TODAY + timedelta(days=900), loan_months=4, reader_months=12)
        _, after = aged.remove_of_runs(connection, ledger.library, old, after=None, page=3)
        while after is not None:
            _, after = aged.remove_of_runs(connection, ledger.library, old, after=after, page=50)
        for kind in range(aged.ANSWERS):
            aged.remove_answers(connection, ledger.library, old, kind=kind, page=3)
        aged.forget_journal(connection, ledger.library, old, after=None, page=3)


_HIDES = text("UPDATE retention_state SET hides_contacts = :hides WHERE library = :library")


def _comes_back(ledger: PostgresLedger) -> None:
    entry = suppression_list.Entry(
        recipient="33699999999", reason=SuppressionReason.BLACKLIST, source=SuppressionSource.PROVIDER
    )
    with ledger.engine.begin() as connection:
        erased(connection, ledger.library, [LoanKey(loan_id="gone0", due_date=date(2026, 11, 26))])
        connection.exec_driver_sql(
            f"UPDATE retention_state SET hides_contacts = true WHERE library = '{ledger.library}'"
        )
        suppression_list.add(connection, ledger.library, [entry])
        connection.exec_driver_sql(
            f"UPDATE retention_state SET hides_contacts = false WHERE library = '{ledger.library}'"
        )
