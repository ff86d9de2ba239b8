"""The forms of « En litige » : to keep what is about a loan or a reader beyond its time, and to end that."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Response

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.retention.disputes import DisputeRefusal, DisputeRefused, check_dispute
from loan_reminders.french.days import written_day
from loan_reminders.french.refusals import sentence
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ActRoute
from loan_reminders.web.page import At, Typed
from loan_reminders.web.readers.back import Told, not_done, to_reader

router = APIRouter(route_class=ActRoute)

_STATUS = {DisputeRefusal.UNKNOWN_READER: 404, DisputeRefusal.UNKNOWN_LOAN: 404, DisputeRefusal.NOT_OPEN: 409}


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
    told = Told(patron_id=lecteur, form="litige", fields={"pret": pret, "jusqu_au": jusqu_au, "motif": motif})
    try:
        until = written_day(jusqu_au)
    except ValueError:
        return not_done(at, who, told, "Il manque la date jusqu'à laquelle conserver.", 400)
    try:
        check_dispute(until=until, reason=motif, today=today)
        ledger_access.disputes().note(patron_id=lecteur, loan_id=pret, until=until, reason=motif, who=who, today=today)
        return to_reader(at, lecteur, "Le litige est noté : rien n'en est effacé avant la fin de ce jour.")
    except DisputeRefused as refused:
        return not_done(at, who, told, sentence(refused), _STATUS.get(DisputeRefusal(refused.code), 400))
    except ReminderError as error:
        return at.unavailable(error)


@router.post("/lecteurs/litige-clos")
def close(
    at: At,
    who: Librarian,
    lecteur: Annotated[Typed, Form(min_length=1, max_length=200)],
    litige: Annotated[int, Form(ge=1)],
) -> Response:
    """End a dispute before its day."""
    today = datetime.now(settings().zone).date()
    try:
        closed = ledger_access.disputes().close(litige, who=who, today=today)
        return to_reader(at, closed.patron_id, "Le litige est clos : ce qui le concerne s'effacera à son terme.")
    except DisputeRefused as refused:
        told = Told(patron_id=lecteur)
        return not_done(at, who, told, sentence(refused), _STATUS.get(DisputeRefusal(refused.code), 400))
    except ReminderError as error:
        return at.unavailable(error)
