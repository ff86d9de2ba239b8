"""What the page of registered letters shows: the fields of the scanner, where the letters are, which are overdue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fastapi import Response

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.letters.batches import RegisteredState
from loan_reminders.domain.ports.registered import MOST_COUNTED, RegisteredLetters
from loan_reminders.domain.registered.steps import RegisteredLetter
from loan_reminders.french.days import written_day
from loan_reminders.french.letters import OUTCOMES, REGISTERED
from loan_reminders.services.registered import following as service
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.lists import LINES, Order, Pages
from loan_reminders.web.page import Page
from loan_reminders.web.registered.table_rows import letter_row

MOST_FOUND = 100
_POSTED = RegisteredState.POSTED.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of the scanner: its answer, whether that is good news, and what it holds.

    `waiting` is the reference of the letter whose number is scanned next. `number` is that of a posted letter that was
    scanned by itself: its acknowledgement can be noted at once.
    """

    said: str = ""
    is_good: bool = True
    waiting: str = ""
    text: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Which letters are listed: those of a state, a page of them, the oldest first or not; or those searched for."""

    state: RegisteredState | None = None
    oldest_first: bool = False
    page: int = 1
    wanted: str = ""


def registered_page(
    at: Page,
    *,
    numbers: Field | None = None,
    follow: Field | None = None,
    chosen: str = "",
    day: str = "",
    listed: Listed | None = None,
    done: str = "",
    problem: str = "",
    wrong_lines: Sequence[tuple[int, str]] = (),
    status: int = 200,
) -> Response:
    """The page. `numbers` and `follow` are the answers of its two fields; the one that was used last is ready again."""
    config = settings()
    today = datetime.now(config.zone).date()
    days = config.letters.acknowledgement_days
    listed = listed or Listed()
    try:
        ledger = ledger_access.registered()
        counts, batches = ledger.counts(), ledger.batches_to_post()
        overdue = service.overdue(ledger, today=today, days=days, limit=LINES)
        pages = Pages(
            number=listed.page, lines=counts.get(listed.state, 0) if listed.state else 0, asked=_asked(listed)
        )
        found = _found(ledger, listed, pages)
    except ReminderError as error:
        return at.unavailable(error)
    return at.html(
        "recommandes.html.j2",
        status,
        counts=[(one.value, REGISTERED[one], _counted(counts[one]), one is listed.state) for one in RegisteredState],
        overdue=[letter_row(letter, today=today) for letter in overdue],
        overdue_cut=len(overdue) == LINES,
        days=days,
        found=[letter_row(letter, today=today) for letter in found],
        found_cut=bool(listed.wanted) and len(found) == MOST_FOUND,
        state="" if listed.state is None else REGISTERED[listed.state],
        order=Order(column="jour", descending=not listed.oldest_first, asked={"etat": listed.state or ""}),
        pages=pages,
        wanted=listed.wanted,
        batches=batches,
        outcomes=OUTCOMES,
        chosen=chosen,
        day=_day(day, today).isoformat(),
        today=today.isoformat(),
        numbers=numbers or Field(),
        follow=follow or Field(),
        follows=follow is not None,
        done=done,
        problem=problem,
        wrong_lines=wrong_lines,
    )


def _found(ledger: RegisteredLetters, listed: Listed, pages: Pages) -> Sequence[RegisteredLetter]:
    if listed.wanted:
        return ledger.search(service.search_terms(listed.wanted), limit=MOST_FOUND)
    if listed.state is None:
        return ()
    return ledger.in_state(listed.state, limit=pages.size, offset=pages.offset, oldest_first=listed.oldest_first)


def _asked(listed: Listed) -> dict[str, str]:
    turned = {"tri": "jour", "sens": ""} if listed.oldest_first else {}
    return {"etat": listed.state or "", **turned}


def _counted(number: int) -> str:
    return f"{MOST_COUNTED} ou plus" if number >= MOST_COUNTED else str(number)


def _day(text: str, today: date) -> date:
    try:
        return written_day(text)
    except ValueError:
        return today
