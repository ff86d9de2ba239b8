"""What stands against writing to some readers, for whoever writes to one of them by hand or says what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from loan_reminders.domain.loans import SmsChoice
from loan_reminders.domain.recipients import Recipient
from loan_reminders.domain.runs.holds import Held
from loan_reminders.domain.suppressions.objections import Objections
from loan_reminders.domain.suppressions.suppression import Suppressed
from loan_reminders.ledger.journal import Transaction
from loan_reminders.ledger.json_codecs import storable
from loan_reminders.ledger.readers.held import held
from loan_reminders.ledger.suppressions import suppression_list as suppressions
from loan_reminders.ledger.suppressions.consents import choices_of
from loan_reminders.ledger.suppressions.objections import objected


class PostgresWishes:
    """The part of one library's ledger where holds, objections, suppressions and answers about SMS are read."""

    def __init__(self, transaction: Transaction, *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def held(self, patron_ids: Sequence[str], *, today: date) -> Held:
        """What a librarian said not to write about, of these readers, on a day."""
        with self._transaction() as connection:
            return held(connection, self._library, [storable(one) for one in patron_ids], today)

    def objected(self, patron_ids: Sequence[str]) -> Objections:
        """The channels that these readers refuse."""
        with self._transaction() as connection:
            return objected(connection, self._library, [storable(one) for one in patron_ids])

    def suppressed(self, recipients: Sequence[Recipient]) -> Suppressed:
        """Those of these recipients that are not written to any more."""
        with self._transaction() as connection:
            return suppressions.suppressed(connection, self._library, recipients)

    def sms_choices(self, patron_ids: Sequence[str]) -> Mapping[str, SmsChoice]:
        """What those of these readers who are on the librarians' list said about SMS."""
        with self._transaction() as connection:
            return choices_of(connection, self._library, [storable(one) for one in patron_ids])
