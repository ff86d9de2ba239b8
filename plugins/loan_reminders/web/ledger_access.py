"""The ledger of the current library; its connections are opened once in each process, and serve all libraries."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from loan_reminders.domain.errors import ReminderError, SettingsError
from loan_reminders.hooks.ledger import ledger
from loan_reminders.ledger.dispute.reader_page import PostgresReaderPages
from loan_reminders.ledger.journal import PostgresFormKeys, PostgresJournal
from loan_reminders.ledger.journal_pages import PostgresJournalPages
from loan_reminders.ledger.letters.print_checks import PostgresPrintChecks
from loan_reminders.ledger.reader_rights.erasure import PostgresErasure
from loan_reminders.ledger.reader_rights.everything import PostgresReaderData
from loan_reminders.ledger.readers.amendments import PostgresAmendments
from loan_reminders.ledger.readers.corrections import PostgresCorrections
from loan_reminders.ledger.readers.holds import PostgresHolds
from loan_reminders.ledger.readers.readers import PostgresReaders
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.retention.disputes import PostgresDisputes
from loan_reminders.ledger.run_pages.catching_up import PostgresCatchingUp
from loan_reminders.ledger.run_pages.foreseeing import PostgresForeseeing
from loan_reminders.ledger.run_pages.questions import PostgresQuestions
from loan_reminders.ledger.run_pages.run_page import PostgresRunPages
from loan_reminders.ledger.run_pages.to_do import PostgresToDo
from loan_reminders.ledger.runs.resends import PostgresResends
from loan_reminders.ledger.runs.today import PostgresToday
from loan_reminders.ledger.statistics.costs import PostgresCosts
from loan_reminders.ledger.statistics.effect import PostgresEffect
from loan_reminders.ledger.statistics.figures import PostgresFigures
from loan_reminders.ledger.statistics.looks import PostgresLoanEnds
from loan_reminders.ledger.suppressions.consents import PostgresSmsChoices
from loan_reminders.ledger.suppressions.objections import PostgresObjections
from loan_reminders.settings.library_toml import settings
from loan_reminders.web.shared_answers import forget_all

if TYPE_CHECKING:
    from loan_reminders.domain.dispute.loan_file import LoanFiles
    from loan_reminders.domain.ports.email_feedback import MailFeedback
    from loan_reminders.domain.ports.letters import LetterBatches, LetterDrafts, PrintChecks
    from loan_reminders.domain.ports.outside import Run
    from loan_reminders.domain.ports.registered import Desk, RegisteredLetters
    from loan_reminders.domain.ports.sms_feedback import SmsFeedback

_lock = threading.Lock()
_opened: dict[str, PostgresLedger] = {}


def sms_feedback() -> SmsFeedback:
    """The part of the ledger where the SMS provider's answers are kept. Raises SettingsError or LedgerUnavailable."""
    return _ledger().feedback()


def mail_feedback() -> MailFeedback:
    """The part of the ledger where e-mails that came back are kept. Raises SettingsError or LedgerUnavailable."""
    return _ledger().mail_feedback()


def dispute() -> LoanFiles:
    """The part of the ledger that tells everything about a loan. Raises SettingsError or LedgerUnavailable."""
    return _ledger().dispute()


def letters() -> LetterBatches:
    """The part of the ledger where batches of letters are kept. Raises SettingsError or LedgerUnavailable."""
    return _ledger().letters()


def print_checks() -> PrintChecks:
    """The part of the ledger that knows how far the ILS was asked. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresPrintChecks)


def drafts() -> LetterDrafts:
    """The part of the ledger where drafts wait for a librarian. Raises SettingsError or LedgerUnavailable."""
    return _ledger().drafts()


def registered() -> RegisteredLetters:
    """The part of the ledger where registered letters are followed. Raises SettingsError or LedgerUnavailable."""
    return _ledger().registered()


def desk() -> Desk:
    """The part of the ledger that the desk works through. Raises SettingsError or LedgerUnavailable."""
    return _ledger().desk()


def journal() -> PostgresJournal:
    """The part of the ledger where who did what is kept. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresJournal)


def today() -> PostgresToday:
    """The part of the ledger that the first page shows. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresToday)


def readers() -> PostgresReaders:
    """The part of the ledger that knows the readers. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresReaders)


def reader_pages() -> PostgresReaderPages:
    """The parts of the ledger that a reader's page is made of. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresReaderPages)


def holds() -> PostgresHolds:
    """The part of the ledger that knows who is not written to until when. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresHolds)


def objections() -> PostgresObjections:
    """The part of the ledger that knows which channels readers refuse. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresObjections)


def amendments() -> PostgresAmendments:
    """The part of the ledger where what was put right is kept. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresAmendments)


def reader_data() -> PostgresReaderData:
    """The part of the ledger that gathers all about a reader. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresReaderData)


def erasure() -> PostgresErasure:
    """The part of the ledger that erases a reader at his request. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresErasure)


def loan_ends() -> PostgresLoanEnds:
    """The part of the ledger that knows how loans ended. Raises SettingsError or LedgerUnavailable."""
    return _ledger().loan_ends()


def disputes() -> PostgresDisputes:
    """The part of the ledger that keeps loans beyond their time. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresDisputes)


def resends() -> PostgresResends:
    """The part of the ledger where messages sent once more are kept. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresResends)


def sms_choices() -> PostgresSmsChoices:
    """The part of the ledger where who said yes or no to SMS is kept. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresSmsChoices)


def journal_pages() -> PostgresJournalPages:
    """The part of the ledger where the journal is read. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresJournalPages)


def corrections() -> PostgresCorrections:
    """The part of the ledger where contacts that fail are kept. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresCorrections)


def form_keys() -> PostgresFormKeys:
    """The part of the ledger that knows which forms were sent. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresFormKeys)


def figures() -> PostgresFigures:
    """The part of the ledger where figures are summed. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresFigures)


def effect() -> PostgresEffect:
    """The part of the ledger that knows what SMS do. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresEffect)


def costs() -> PostgresCosts:
    """The part of the ledger where costs are counted. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresCosts)


def to_do() -> PostgresToDo:
    """The part of the ledger that knows what waits for a person. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresToDo)


def questions() -> PostgresQuestions:
    """The part of the ledger that knows what runs ask of a person. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresQuestions)


def run_pages() -> PostgresRunPages:
    """The part of the ledger that tells of one run. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresRunPages)


def catching_up() -> PostgresCatchingUp:
    """The part of the ledger that keeps who caught up which day. Raises SettingsError or LedgerUnavailable."""
    return _ledger().part(PostgresCatchingUp)


def whole() -> PostgresLedger:
    """The whole ledger, for the use cases that plan. Raises SettingsError or LedgerUnavailable."""
    return _ledger()


def foreseeing(run: Run) -> PostgresForeseeing:
    """A planning of `run` that writes nothing. Raises SettingsError or LedgerUnavailable."""
    opened = _ledger()
    return PostgresForeseeing(opened.engine, run, library=opened.library)


def _ledger() -> PostgresLedger:
    library = settings().library.code
    with _lock:
        if library not in _opened:
            other = next(iter(_opened.values()), None)
            _opened[library] = (
                _open(library) if other is None else PostgresLedger(other.engine, library=library, for_pages=True)
            )
        return _opened[library]


def _open(library: str) -> PostgresLedger:
    try:
        return ledger(library=library, for_pages=True)
    except ReminderError:
        raise
    except Exception as error:
        raise SettingsError(
            "Airflow n'a pas de connexion reminders_ledger utilisable : la créer, puis recharger la page"
            f" ({type(error).__name__})."
        ) from None


def close() -> None:
    """Close the connections kept open; the next use opens them anew."""
    forget_all()
    with _lock:
        while _opened:
            _opened.popitem()[1].close()
