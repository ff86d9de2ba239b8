"""What readers ask about themselves: all that is held of them, objections, what was put right, erasure."""

from __future__ import annotations

from dataclasses import replace

from loan_reminders.domain.readers.amendments import AmendedField
from loan_reminders.domain.stages import Channel
from loan_reminders.ledger.reader_rights.erasure import PostgresErasure
from loan_reminders.ledger.reader_rights.everything import PostgresReaderData
from loan_reminders.ledger.readers.amendments import PostgresAmendments
from loan_reminders.ledger.readers.holds import PostgresHolds
from loan_reminders.ledger.readers.readers import PostgresReaders
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.runs.resends import PostgresResends
from loan_reminders.ledger.suppressions.objections import PostgresObjections
from tests.scenes.builders import DUE_DATE, an_email
from tests.scenes.ledger_runs import extracted, planned, rows, some_deliveries


def reader_rights(ledger: PostgresLedger) -> None:
    """A reader who refuses, puts right, asks for all, and is erased: a part first, then whole."""
    told = some_deliveries(2, prefix="RIGHTS")
    run = planned(ledger, told, dag_run_id="run rights")
    loan, patron_id = told[0].notice.loans[0], told[0].notice.patron.patron_id
    objections, amendments = ledger.part(PostgresObjections), ledger.part(PostgresAmendments)
    noted = objections.note(patron_id=patron_id, channel=Channel.EMAIL, reason="x", who="zoé")
    objections.of_reader(patron_id)
    objections.objected([patron_id])
    ledger.part(PostgresHolds).objected([patron_id])
    ledger.part(PostgresResends).objected([patron_id])
    with ledger.sender(run.run_id, Channel.EMAIL):
        pass
    objections.lift(noted.objection_id, reason="x", who="zoé")
    objections.note(patron_id=patron_id, channel=Channel.SMS, reason="x", who="zoé")
    put = amendments.note(
        patron_id=patron_id, field=AmendedField.EMAIL, value=an_email("a@b.fr"), reason="x", who="zoé"
    )
    amendments.end(put.amendment_id, who="zoé")
    amendments.note(patron_id=patron_id, field=AmendedField.EMAIL, value=an_email("c@b.fr"), reason="x", who="zoé")
    extracted(ledger, [replace(loan, renewal_count=1)], dag_run_id="run rights read")
    amendments.of_reader(patron_id)
    ledger.part(PostgresReaders).name_of(patron_id)
    data = ledger.part(PostgresReaderData)
    assert data.gather(patron_id) is not None
    data.note_given(patron_id, who="zoé", form="pdf")
    erasure = ledger.part(PostgresErasure)
    erasure.erase(patron_id, today=DUE_DATE, who="zoé", rehearse=True)
    rows(
        ledger,
        "UPDATE runs SET state = 'closed', closed_at = now()"
        " WHERE library = :library AND dag_run_id LIKE 'run rights%'",
        library=ledger.library,
    )
    ledger.loan_ends().learn()
    rows(
        ledger,
        "UPDATE loan_ends SET ended_on = open_on, how = 'returned' WHERE library = :library AND loan_id = :loan_id",
        library=ledger.library,
        loan_id=loan.loan_id,
    )
    rows(
        ledger,
        "INSERT INTO suppressions (library, channel, recipient, reason, source, since)"
        " VALUES (:library, 'email', 'c@b.fr', 'hard_bounce', 'bounces', now())",
        library=ledger.library,
    )
    erasure.erase(patron_id, today=DUE_DATE.replace(year=2031), who="zoé", rehearse=False)
