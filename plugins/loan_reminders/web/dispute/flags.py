"""« En litige » : what a librarian wants kept beyond its time, on the reader's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Annotated

from fastapi import APIRouter, Form, Response

from loan_reminders.domain.dispute.loan_file import Dispute
from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.retention.disputes import (
    LONGEST,
    DisputeFlag,
    DisputeRefusal,
    DisputeRefused,
    check_dispute,
)
from loan_reminders.french.days import day_words, when_words, written_day
from loan_reminders.french.refusals import sentence
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ActRoute
from loan_reminders.web.page import At, Page, Typed

router = APIRouter(route_class=ActRoute)

_STATUS = {DisputeRefusal.UNKNOWN_READER: 404, DisputeRefusal.UNKNOWN_LOAN: 404, DisputeRefusal.NOT_OPEN: 409}


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRow:
    """One open dispute, in words."""

    dispute_id: int
    about: str
    until: str
    reason: str
    noted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InDispute:
    """The part of the page: what is open, the loans that a new one may be about, and the days between which it ends."""

    flags: tuple[FlagRow, ...]
    loans: tuple[tuple[str, str], ...]
    first_day: str
    last_day: str


def kept(flags: Sequence[DisputeFlag], loans: Sequence[Dispute], *, now: datetime, zone: tzinfo) -> InDispute:
    """The part of a reader's page about disputes."""
    today = now.astimezone(zone).date()
    titles = {one.cycles[-1].loan.loan_id: one.cycles[-1].loan.title for one in loans if one.cycles}
    return InDispute(
        flags=tuple(
            FlagRow(
                dispute_id=flag.dispute_id,
                about=(flag.title or "document sans titre") if flag.loan_id else "Tout ce qui concerne ce lecteur",
                until=f"jusqu'au {day_words(flag.until)}",
                reason=flag.reason,
                noted=f"par {flag.who}, {when_words(flag.at, now=now, zone=zone)}",
            )
            for flag in flags
        ),
        loans=tuple((loan_id, title or "document sans titre") for loan_id, title in titles.items()),
        first_day=today.isoformat(),
        last_day=(today + LONGEST).isoformat(),
    )


@router.post("/lecteurs/litige")
def note(
    at: At,
    who: Librarian,
    lecteur: Annotated[Typed, Form(min_length=1, max_length=200)],
    pret: Annotated[Typed, Form(max_length=200)] = "",
    jusqu_au: Annotated[Typed, Form(max_length=10)] = "",
    motif: Annotated[Typed, Form(max_length=300)] = "",
) -> Response:
    """Keep all about a loan, or a reader, until a day."""
    today = datetime.now(settings().zone).date()
    try:
        until = written_day(jusqu_au)
    except ValueError:
        return at.problem("Il manque la date jusqu'à laquelle conserver.", 400)
    try:
        check_dispute(until=until, reason=motif, today=today)
        ledger_access.disputes().note(patron_id=lecteur, loan_id=pret, until=until, reason=motif, who=who, today=today)
        return _to_reader(at, lecteur, "litige")
    except ReminderError as error:
        return _refused(at, error)


@router.post("/lecteurs/litige-clos")
def close(at: At, who: Librarian, litige: Annotated[int, Form(ge=1)]) -> Response:
    """End a dispute before its day."""
    today = datetime.now(settings().zone).date()
    try:
        closed = ledger_access.disputes().close(litige, who=who, today=today)
        return _to_reader(at, closed.patron_id, "clos")
    except ReminderError as error:
        return _refused(at, error)


def _to_reader(at: Page, patron_id: str, done: str) -> Response:
    number = ledger_access.readers().number_of(patron_id)
    return at.to("lecteurs") if number is None else at.to(f"lecteurs/{number}", fait=done)


def _refused(at: Page, error: ReminderError) -> Response:
    if isinstance(error, DisputeRefused):
        return at.problem(sentence(error), _STATUS.get(DisputeRefusal(error.code), 400))
    return at.unavailable(error)
