"""Back to a reader's page after one of its forms: with what was done, or with what is wrong and what was typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import Response

from loan_reminders.domain.errors import ReminderError
from loan_reminders.web import ledger_access
from loan_reminders.web.page import Page
from loan_reminders.web.readers.reader import reader_page


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a form of a reader's page said: which form, and its fields, which are shown again when it is refused."""

    patron_id: str
    form: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def to_reader(at: Page, patron_id: str, said: str) -> Response:
    """The way back to the page, which says what was done. Raises LedgerUnavailable."""
    number = ledger_access.readers().number_of(patron_id)
    return at.to("lecteurs") if number is None else at.to(f"lecteurs/{number}", said=said)


def not_done(at: Page, who: str, told: Told, problem: str, status: int) -> Response:
    """The page with what is wrong; what was typed stands in its form again. Of nobody, the words alone."""
    try:
        number = ledger_access.readers().number_of(told.patron_id)
    except ReminderError as error:
        return at.unavailable(error)
    if number is None:
        return at.problem(problem, 404 if status < 500 else status)
    return reader_page(at, who, number, problem=problem, status=status, typed={told.form: told.fields})
