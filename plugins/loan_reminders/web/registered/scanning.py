"""What is scanned on the page of registered letters: numbers given, and deposits, acknowledgements, returns noted.

Each scan is a form with one field; the answer stands beside it and the field is ready for the next scan. Everything
that the page must know of the scan before is in its address, so that it works without script, and after « back ».
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Response

from loan_reminders.domain.errors import LetterStepRefused, ReminderError
from loan_reminders.domain.registered.steps import StepRefusal
from loan_reminders.domain.registered.tracking_number import TrackingRefusal, clean_reference
from loan_reminders.french.pages import scans
from loan_reminders.french.refusals import sentence
from loan_reminders.services.registered import following
from loan_reminders.services.registered.scanning import Scan, scan
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ActRoute
from loan_reminders.web.page import At, Typed
from loan_reminders.web.registered.page import Field, registered_page

router = APIRouter(route_class=ActRoute)
Scanning = Annotated[Typed, Form(max_length=100)]

_ADDRESSES = {Scan.LETTER: "lettre", Scan.HAS_NUMBER: "lettre", Scan.NUMBERED: "fait", Scan.NUMBER_OF: "lu"}
"""The part of the address in which the page is told which letter was scanned."""

_OF_THE_NUMBER = frozenset({*TrackingRefusal, StepRefusal.NUMBER_TAKEN})
"""Refusals that leave the letter waiting for another number."""


@router.post("/recommandes/numero")
def attach(at: At, who: Librarian, reference: Scanning = "", numero: Scanning = "") -> Response:
    """One scan: `reference` is the letter that was scanned before, when `numero` has the scan, else the scan itself."""
    text, waiting = (numero, clean_reference(reference)) if numero.strip() else (reference, "")
    try:
        scanned = scan(ledger_access.registered(), text, waiting=waiting, who=who)
    except LetterStepRefused as refused:
        said, awaits = sentence(refused), waiting and refused.code in _OF_THE_NUMBER
        if awaits:
            said = f"{said} {scans.still_waiting(waiting)}"
        field = Field(said=said, is_good=False, waiting=waiting if awaits else "", text="" if awaits else reference)
        return registered_page(at, numbers=field, status=400)
    except ReminderError as error:
        return at.unavailable(error)
    return at.to("recommandes", **{_ADDRESSES[scanned.what]: scanned.reference})


@router.post("/recommandes/suivi")
def note(at: At, who: Librarian, numero: Scanning = "", suite: Scanning = "", jour: Scanning = "") -> Response:
    """Note that one letter was posted, acknowledged or brought back, by its number; what and when stay chosen."""
    now = datetime.now(settings().zone)
    letters = ledger_access.registered
    try:
        taken = following.note_outcome(letters(), text=numero, outcome=suite, day=jour, now=now, who=who)
    except LetterStepRefused as refused:
        field = Field(said=sentence(refused), is_good=False)
        return registered_page(at, follow=field, chosen=suite, day=jour, status=400)
    except ReminderError as error:
        return at.unavailable(error)
    return at.to("recommandes", suite=suite, jour=jour, fait=taken.reference)
