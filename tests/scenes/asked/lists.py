"""The journal, and contacts to correct."""

from __future__ import annotations

import uuid
from datetime import UTC, date

from loan_reminders.domain.journal import JournalAct, JournalAsked
from loan_reminders.domain.notices import Skip
from loan_reminders.domain.readers.corrections import ContactFault, CorrectionOrder, CorrectionOutcome
from loan_reminders.domain.states import Refusal, SkipReason
from loan_reminders.ledger.journal import PostgresFormKeys, PostgresJournal
from loan_reminders.ledger.journal_pages import PostgresJournalPages
from loan_reminders.ledger.readers.corrections import PostgresCorrections
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import DUE_DATE, a_loan, a_patron
from tests.scenes.known_readers import a_reader
from tests.scenes.ledger_emails import a_bounce, came_back, mailed
from tests.scenes.ledger_runs import extracted
from tests.scenes.ledger_sms import reply


def journal(ledger: PostgresLedger) -> None:
    """The journal, read by everything that its page may ask."""
    number = a_reader(ledger, "OLD7")
    ledger.part(PostgresJournal).keep(who="zoé", act=JournalAct.READER_SEEN, patron_id="OLD7")
    pages = ledger.part(PostgresJournalPages)
    person = next(one.number for one in pages.persons() if one.name == "zoé")
    for asked in (
        {}, {"person": person}, {"act": JournalAct.HELD}, {"reader": number}, {"day": date(2026, 11, 1)},
        {"before": 1000}, {"after": 1000}, {"person": person, "act": JournalAct.HELD, "day": date(2026, 11, 1)},
    ):  # fmt: skip
        pages.page(JournalAsked(**asked), zone=UTC)
    pages.reader(number)
    keys, key = ledger.part(PostgresFormKeys), uuid.uuid4()
    for _ in range(2):
        keys.take(key, who="zoé", what="POST/x")
    keys.done(key, led_to="/x")
    keys.done(key, led_to="")
    found = ledger.dispute().file("L1")
    assert found is not None
    ledger.dispute().note_made(found, who="zoé")


def contacts(ledger: PostgresLedger) -> None:
    """Contacts that fail: noted, listed in every order, settled."""
    a_reader(ledger, "C1", mobile="33612345699", email="c1@example.fr")
    nothing = {"email": Refusal.MISSING, "mobile": Refusal.MISSING, "address": Refusal.MISSING}
    loan = a_loan(loan_id="C2", patron=a_patron(patron_id="C2", **nothing))
    run = extracted(ledger, [loan], dag_run_id="run c")
    skips = [
        Skip(loan_id="C2", due_date=DUE_DATE, patron_id="C2", reason=SkipReason.NO_RECIPIENT, detail="email:missing")
    ]
    with ledger.planning(run.run_id) as planning:
        planning.record([], skips)
    ledger.feedback().keep_replies([reply("STOP", "33612345699", reply_id="c1")])
    ledger.feedback().settle(failures=2)
    came_back(ledger, a_bounce(mailed(ledger, to="c1@example.fr"), recipient="c1@example.fr"))
    [line] = ledger.feedback().suppressions(recipient="c1@example.fr")
    ledger.feedback().lift(line.suppression_id, who="zoé", why="adresse rétablie")
    ours = ledger.part(PostgresCorrections)
    ours.counts()
    for order in CorrectionOrder:
        found = ours.lines(order=order, limit=50, fault=ContactFault.NO_CONTACT, branch="SJA")
        ours.lines(order=order, limit=50)
    assert ours.settle(found[0].correction_id, CorrectionOutcome.CORRECTED, who="zoé")
