"""Who said yes or no to SMS, and which numbers were reached before."""

from __future__ import annotations

from datetime import UTC, date, datetime

from loan_reminders.domain.loans import SmsChoice
from loan_reminders.domain.sms.choices import read_file
from loan_reminders.domain.stages import PatronCategory
from loan_reminders.ledger.readers.holds import PostgresHolds
from loan_reminders.ledger.removal.choices import forget_choices, forget_never_seen, forget_old_numbers, keep_numbers
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.retention.fingerprints import make_fingerprints
from loan_reminders.ledger.runs.resends import PostgresResends
from loan_reminders.ledger.suppressions.consents import PostgresSmsChoices
from loan_reminders.ledger.suppressions.numbers_reached import forget_numbers
from tests.scenes.known_readers import a_reader
from tests.scenes.ledger_sms import left

NUMBER = "33612345688"


def consents(ledger: PostgresLedger) -> None:
    """The list, asked in each way, changed and forgotten; a number reached, removed and dead."""
    ours = ledger.part(PostgresSmsChoices)
    a_reader(ledger, "S1", card="S21")
    for choice in (SmsChoice.NO, SmsChoice.YES):
        ours.note("S1", choice, who="zoé")
    ours.take(read_file(b"carte;sms\nS21;non\n"), who="zoé")
    ours.reader("S21")
    ours.reader("S1")
    ours.counts()
    ours.lines(limit=50)
    ours.lines(limit=50, oldest_first=True)
    [line] = ours.lines(choice=SmsChoice.NO, patron_id="S1", limit=50)
    ours.note("S1", SmsChoice.YES, who="zoé")
    ours.remove(line.choice_id, who="zoé", opt_in=list(PatronCategory))
    ledger.part(PostgresHolds).sms_choices(["S1"])
    again = ledger.part(PostgresResends)
    again.sms_choices(["S1"])
    reached = left(ledger, NUMBER, campaign="first")
    again.never_reached(NUMBER)
    again.never_reached("33612345689")
    ours.note("S1", SmsChoice.NO, who="zoé")
    with ledger.engine.begin() as connection:
        keep_numbers(connection, make_fingerprints(connection, ledger.library), [reached])
        forget_numbers(connection, ledger.library, [NUMBER])
        forget_choices(connection, ledger.library, ["S1"])
        forget_never_seen(connection, ledger.library, readers_until=datetime.now(UTC).date(), page=50)
        forget_old_numbers(connection, ledger.library, readers_until=date(2020, 1, 1))
    ours.note("S1", SmsChoice.YES, who="zoé")  # known by a hash alone until now
