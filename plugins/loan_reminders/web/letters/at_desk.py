"""Make a `BatchDesk` for one request: with this installation's ledger, letter store and ILS, at this moment."""

from __future__ import annotations

from datetime import datetime

from loan_reminders.hooks.ils import loan_source
from loan_reminders.hooks.letter_store import letter_store
from loan_reminders.services.letters.batch_desk import BatchDesk
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access


def batch_desk() -> BatchDesk:
    """What a librarian does with batches, at this moment. Raises SettingsError or LedgerUnavailable."""
    config = settings()
    return BatchDesk(
        batches=ledger_access.letters(),
        drafts=ledger_access.drafts(),
        archive=letter_store(),
        source=lambda: loan_source(config.ils, codes=config.codes(), for_pages=True),
        now=datetime.now(config.zone),
        library=config.identity(),
        templates=config.templates,
        level=config.letters.guarantee_level,
    )
