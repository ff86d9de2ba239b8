"""Erase a reader at his request, as far as it can be; what stays is said with why."""

from __future__ import annotations

import logging
from datetime import date

from loan_reminders.domain.ports.statistics import LoanEnds
from loan_reminders.domain.reader_rights.erasure import Erasure, ReaderErasure
from loan_reminders.french.retention import removed_words

log = logging.getLogger(__name__)


def erase_reader(
    ledger: ReaderErasure, ends: LoanEnds, patron_id: str, *, today: date, who: str, rehearse: bool
) -> Erasure:
    """Erase what need not stay of a reader, or with `rehearse` only find out what it would be.

    Runs that were never counted are first, before their loans go. Raises ErasureRefused for a reader whom the ledger
    does not know, and LedgerUnavailable.
    """
    if not rehearse:
        ends.learn()
    erasure = ledger.erase(patron_id, today=today, who=who, rehearse=rehearse)
    if not rehearse:
        log.info("Effacement à la demande d'un lecteur : %s", removed_words(erasure.removed))
    return erasure
