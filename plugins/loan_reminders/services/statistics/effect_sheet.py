"""What SMS do on one side of paper, for the director: the same words and figures as the page."""

from __future__ import annotations

from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.statistics.effect import Findings
from loan_reminders.rendering.statistics.effect_sheet import effect_sheet
from loan_reminders.rendering.template_folders import TemplatePlace

FILE_NAME = "effet-des-sms.pdf"
"""What the file is called."""


def make_effect_sheet(findings: Findings, *, library: LibraryIdentity, templates: TemplatePlace) -> bytes:
    """The sheet as a PDF. Raises TemplateError, LettersNotPrinted, or LetterStoreUnavailable when the disk is full."""
    return effect_sheet(findings, library=library, templates=templates)
