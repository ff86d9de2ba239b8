"""Close a run: count its books and refuse to be green when they do not balance."""

from __future__ import annotations

import logging

from loan_reminders.domain.books import Books
from loan_reminders.domain.errors import BooksDoNotBalance
from loan_reminders.domain.french import CHANNELS, STATES, skip_words
from loan_reminders.domain.ports import Ledger

log = logging.getLogger(__name__)


def close_run(ledger: Ledger, *, run_id: int) -> Books:
    """Count, keep and log the books of a run. Raises BooksDoNotBalance naming what is neither done nor explained."""
    books = ledger.close_run(run_id)
    for line in describe(books):
        log.info("%s", line)
    problems = books.problems()
    if problems:
        raise BooksDoNotBalance("Les comptes ne sont pas justes : " + " ; ".join(problems))
    return books


def describe(books: Books) -> list[str]:
    """The books in French, a line each, without personal data."""
    lines = [
        f"Prêts extraits : {books.loans_extracted}",
        f"Prêts dans un avis : {books.loans_in_notices}",
        f"Avis : {books.notices}",
    ]
    lines += [f"Prêts écartés, {skip_words(reason)} : {count}" for reason, count in sorted(books.skipped.items())]
    lines += [
        f"Prêts sans l'un des envois, {skip_words(reason)} : {count}"
        for reason, count in sorted(books.slots_skipped.items())
    ]
    for channel, states in sorted(books.deliveries.items()):
        lines += [f"Envois, {CHANNELS[channel]} {STATES[state]} : {count}" for state, count in sorted(states.items())]
    if books.taken_over_by_letter:
        lines.append(f"E-mails relayés par une lettre (taken_over_by_letter) : {books.taken_over_by_letter}")
    if books.segments:
        lines.append(f"SMS : {books.segments} segments, coût {books.cost:g}")
    return lines
