"""What the pages that let something leave ask first, and mark afterwards: « Renvoyer », and printing a batch."""

from __future__ import annotations

from loan_reminders.hooks.marks import mark_file, marks_of
from loan_reminders.services.marks.guard import check_complete, make_mark
from loan_reminders.web import ledger_access


def check_may_leave() -> None:
    """Raise SendingHeld, whose words are for the page, when the ledger lacks something of what left."""
    ledger = ledger_access.whole()
    check_complete(marks_of(ledger), mark_file(ledger.library))


def mark_left() -> None:
    """Something left from a page: mark it."""
    ledger = ledger_access.whole()
    make_mark(marks_of(ledger), mark_file(ledger.library))
