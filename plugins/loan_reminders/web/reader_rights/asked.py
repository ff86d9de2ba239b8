"""What is done at a reader's request: his data given, a channel refused, something put right.

Who is meant travels in the body of a form; the address that the browser is led to names a reader by a neutral number.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Response

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.readers.amendments import AmendmentRefusal, AmendmentRefused, read_value
from loan_reminders.domain.suppressions.objections import ObjectionRefusal, ObjectionRefused, channel_to_refuse
from loan_reminders.french.pages.reader_rights import information
from loan_reminders.french.refusals import sentence
from loan_reminders.hooks.letter_store import letter_store
from loan_reminders.services.reader_rights.give_data import NOT_KNOWN, DataForm, give_data
from loan_reminders.settings.library_toml import settings
from loan_reminders.settings.rules import own_addresses
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ActRoute
from loan_reminders.web.page import At, Page, Typed
from loan_reminders.web.readers.back import Told, not_done, to_reader

router = APIRouter(route_class=ActRoute)

OBJECTED = "C'est noté : rien ne part plus par cette voie. Ce qui attendait déjà est annulé."
OBJECTION_LIFTED = "L'opposition est levée : on lui écrit de nouveau par cette voie."
AMENDED = (
    "C'est noté : la recherche et les renvois en tiennent compte tout de suite, les messages dès la prochaine tournée."
    " Ce qui est déjà préparé garde l'ancienne valeur. Le corriger aussi dans le SIGB."
)
AMENDMENT_ENDED = "C'est noté : la prochaine tournée croira de nouveau le SIGB."
_LOST = (ObjectionRefusal.UNKNOWN_READER, AmendmentRefusal.UNKNOWN_READER, AmendmentRefusal.NOT_DESCRIBED)
_LATE = (ObjectionRefusal.NOT_IN_FORCE, ObjectionRefusal.ALREADY, AmendmentRefusal.NOT_IN_FORCE, AmendmentRefusal.SAME)

Reader = Annotated[Typed, Form(min_length=1, max_length=200)]
Reason = Annotated[Typed, Form(max_length=300)]


@router.post("/lecteurs/donnees")
def give(at: At, who: Librarian, lecteur: Reader, forme: Annotated[Typed, Form(max_length=10)] = "pdf") -> Response:
    """All that is held of a reader, as a file to save."""
    if forme not in set(DataForm):
        return at.problem("Choisir le PDF ou le JSON.", 400)
    config, form = settings(), DataForm(forme)
    try:
        made = give_data(
            ledger_access.reader_data(),
            letter_store(),
            config.identity(),
            lecteur,
            form=form,
            told=information(
                erased_after=config.retention.months(), policy=config.policy(), email=config.identity().email
            ),
            who=who,
            made_at=datetime.now(config.zone),
            zone=config.zone,
            templates=config.templates,
        )
    except ReminderError as error:
        return at.unavailable(error)
    if made is None:
        return at.problem(NOT_KNOWN, 404)
    headers = {"Content-Disposition": f'attachment; filename="{form.file_name}"'}
    return Response(made.content, media_type=form.media_type, headers=headers)


@router.post("/lecteurs/opposition")
def object_to(
    at: At,
    who: Librarian,
    lecteur: Reader,
    canal: Annotated[Typed, Form(max_length=20)] = "",
    motif: Reason = "",
) -> Response:
    """To write no more to a reader by a channel."""
    told = Told(patron_id=lecteur, form="opposition", fields={"canal": canal, "motif": motif})
    try:
        channel = channel_to_refuse(canal)
        ledger_access.objections().note(patron_id=lecteur, channel=channel, reason=motif, who=who)
        return to_reader(at, lecteur, OBJECTED)
    except ReminderError as error:
        return _refused(at, who, told, error)


@router.post("/lecteurs/opposition-levee")
def lift_objection(
    at: At,
    who: Librarian,
    lecteur: Reader,
    opposition: Annotated[int, Form(ge=1, lt=2**63)],
    motif: Reason = "",
) -> Response:
    """To write again by that channel, with a reason."""
    try:
        ledger_access.objections().lift(opposition, reason=motif, who=who, patron_id=lecteur)
        return to_reader(at, lecteur, OBJECTION_LIFTED)
    except ReminderError as error:
        return _refused(at, who, Told(patron_id=lecteur), error)


@router.post("/lecteurs/rectification")
def amend(
    at: At,
    who: Librarian,
    lecteur: Reader,
    quoi: Annotated[Typed, Form(max_length=20)] = "",
    valeur: Annotated[Typed, Form(max_length=500)] = "",
    motif: Reason = "",
) -> Response:
    """To let something stand in for what the ILS tells of a reader."""
    config = settings()
    told = Told(patron_id=lecteur, form="rectification", fields={"quoi": quoi, "valeur": valeur, "motif": motif})
    try:
        field, value = read_value(
            quoi,
            valeur,
            name=ledger_access.readers().name_of(lecteur),
            countries=frozenset(config.sms.countries),
            own=tuple(own_addresses(config.library)),
        )
        ledger_access.amendments().note(patron_id=lecteur, field=field, value=value, reason=motif, who=who)
        return to_reader(at, lecteur, AMENDED)
    except ReminderError as error:
        return _refused(at, who, told, error)


@router.post("/lecteurs/rectification-terminee")
def end_amendment(
    at: At, who: Librarian, lecteur: Reader, rectification: Annotated[int, Form(ge=1, lt=2**63)]
) -> Response:
    """To believe the ILS again."""
    try:
        return to_reader(at, ledger_access.amendments().end(rectification, who=who), AMENDMENT_ENDED)
    except ReminderError as error:
        return _refused(at, who, Told(patron_id=lecteur), error)


def _refused(at: Page, who: str, told: Told, error: ReminderError) -> Response:
    """The reader's page with what is wrong and what was typed; another page for what does not answer."""
    if isinstance(error, ObjectionRefused | AmendmentRefused):
        status = 404 if error.code in _LOST else 409 if error.code in _LATE else 400
        return not_done(at, who, told, sentence(error), status)
    return at.unavailable(error)
