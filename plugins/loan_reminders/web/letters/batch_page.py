"""What the page of one batch shows: how far it is, what the ILS said of it, its letters, one page of paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fastapi import Response

from loan_reminders.domain.errors import LetterStepRefused, ReminderError
from loan_reminders.domain.letters.batch_list import LetterPlace, LetterQuery
from loan_reminders.domain.letters.batches import BatchRefusal, BatchState, BatchView
from loan_reminders.domain.letters.print_checks import GOOD_FOR, CheckState, PrintCheck
from loan_reminders.domain.ports.letters import LetterBatches
from loan_reminders.french.days import when_words
from loan_reminders.french.refusals import sentence
from loan_reminders.services.letters.batch_desk import GIVEN_AGAIN_FOR, BatchDesk, IlsNotAsked
from loan_reminders.services.letters.preview_pages import preview_pages
from loan_reminders.services.letters.print_checks import answer
from loan_reminders.services.letters.recheck import Recheck
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.letters.at_desk import batch_desk
from loan_reminders.web.letters.letter_list import SHOWN, letter_list
from loan_reminders.web.letters.table_rows import batch_row, changes_in_words
from loan_reminders.web.page import Page, by_hand, said

_STATUSES: dict[StrEnum, int] = {
    BatchRefusal.NO_REASON: 400,
    BatchRefusal.UNKNOWN_BATCH: 404,
    BatchRefusal.UNKNOWN_FILE: 404,
    BatchRefusal.UNKNOWN_LETTER: 404,
    BatchRefusal.UNKNOWN_PAGE: 404,
    BatchRefusal.UNKNOWN_SLIP: 404,
}
"""HTTP statuses of refusals; the others are 409, the batch does not allow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address of the page asks for: which letters, in which order, which page of the list and of the paper."""

    shown: str = ""
    column: str = ""
    descending: bool = False
    page: int = 1
    sheet: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One page of paper: which of how many, of whose letter, and which side of it, for whoever does not see it."""

    number: int
    last: int
    reference: str
    name: str
    reader_number: int | None
    side: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckWords:
    """How far the question to the ILS is, in words; `changes` are to be read before the batch is printed."""

    running: bool = False
    died: bool = False
    good: bool = False
    who: str = ""
    since: str = ""
    asked: int = 0
    loans: int = 0
    problem: str = ""
    changes: Sequence[str] = ()


def batch_page(
    at: Page,
    batch_id: int,
    *,
    who: str,
    asked: Asked | None = None,
    status: int = 200,
    problem: str = "",
    left_out: Recheck | None = None,
) -> Response:
    """The page of one batch, as this person may use it; `left_out` is what was left out of it just now."""
    asked = asked or Asked()
    try:
        desk = batch_desk()
        batch = desk.batches.batch(batch_id)
        if batch is None:
            return at.problem(f"Il n'y a pas de lot n° {batch_id}.", 404)
        places = desk.batches.places_of(batch_id)
        listed = letter_list(
            desk.batches,
            batch_id,
            places,
            shown=asked.shown,
            column=asked.column,
            descending=asked.descending,
            number=asked.page,
        )
        sheet = _sheet(desk.batches, batch, places, asked.sheet)
        check = ledger_access.print_checks().check(batch_id) if batch.state is BatchState.READY else None
    except ReminderError as error:
        return at.unavailable(error)
    config = settings()
    return at.html(
        "lot.html.j2",
        status,
        batch=batch_row(batch, library=config.identity(), zone=config.zone, now=desk.now),
        letters=listed,
        shown=SHOWN,
        staying=sum(not place.left_out for place in places),
        check=_check_words(check, desk, who=who),
        left_out=changes_in_words(left_out) if left_out else [],
        again_until=_again_until(batch, desk, who=who),
        sheet=sheet,
        who=who,
        problem=problem,
    )


def refused(at: Page, error: ReminderError, batch_id: int, *, who: str) -> Response:
    """The page of the batch with what is wrong: 404 for what is not there, 409 for what it does not allow."""
    if isinstance(error, IlsNotAsked):
        return batch_page(at, batch_id, who=who, status=503, problem=said(error))
    if isinstance(error, LetterStepRefused):
        status = _STATUSES.get(error.code, 409)
        return batch_page(at, batch_id, who=who, status=status, problem=sentence(error))
    return at.unavailable(error)


def _check_words(check: PrintCheck | None, desk: BatchDesk, *, who: str) -> CheckWords:
    """What is to be said of the last question to the ILS; an old one says nothing any more."""
    now, zone = desk.now, settings().zone
    if check is None:
        return CheckWords()
    if check.is_running(now) or check.has_died(now):
        return CheckWords(
            running=check.is_running(now),
            died=check.has_died(now),
            who=check.who,
            since=when_words(check.started_at, now=now, zone=zone),
            asked=check.asked,
            loans=check.loans,
        )
    if check.state is CheckState.FAILED and check.who == who and now - check.seen_at <= GOOD_FOR:
        return CheckWords(problem=by_hand(check.problem))
    if not check.is_good(now, who=who):
        return CheckWords()
    since = when_words(check.seen_at, now=now, zone=zone)
    return CheckWords(good=True, who=check.who, since=since, changes=changes_in_words(answer(check)))


def _again_until(batch: BatchView, desk: BatchDesk, *, who: str) -> str:
    """Until when this person may have the file again, empty when it is not theirs or too late."""
    if batch.printed_at is None or not desk.may_give_again(batch, who=who):
        return ""
    until: datetime = batch.printed_at + GIVEN_AGAIN_FOR
    return f"{until.astimezone(settings().zone):%H h %M}"


def _sheet(batches: LetterBatches, batch: BatchView, places: Sequence[LetterPlace], number: int) -> Sheet | None:
    """The page of paper that is shown, None for a batch of which nothing is to be looked at."""
    if batch.state not in (BatchState.DRAFT, BatchState.READY):
        return None
    pages = preview_pages(places)
    if not pages:
        return None
    number = min(number, len(pages))
    page = pages[number - 1]
    before = sum(place.position < page.letter.position for place in places)
    [letter] = batches.some_letters_of(batch.batch_id, LetterQuery(limit=1, offset=before))
    return Sheet(
        number=number,
        last=len(pages),
        reference=letter.reference,
        name=letter.patron_name or letter.recipient.lines[0],
        reader_number=letter.reader_number,
        side="verso blanc" if page.is_blank else f"page {page.number} sur {page.pages}",
    )
