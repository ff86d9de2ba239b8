"""What a librarian does about one reader: send the last message again, not to write for a while, lift that.

Who is meant travels in the body of a form; the address that the browser is led to names a reader by a neutral number.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import APIRouter, Form, Query, Response

from loan_reminders.domain.errors import ReminderError, SettingsError, unexpected
from loan_reminders.domain.readers.resend import ResendRefused, Resent
from loan_reminders.domain.runs.holds import Hold, HoldRefusal, HoldRefused, check_hold
from loan_reminders.domain.stages import Channel
from loan_reminders.french.days import day_words, written_day
from loan_reminders.french.pages.next_step import resent_words
from loan_reminders.french.refusals import sentence
from loan_reminders.hooks.allmysms import sms_gateway
from loan_reminders.hooks.ils import loan_source
from loan_reminders.hooks.mail_relay import mail_relay
from loan_reminders.services.compose import email_composer, text_composer
from loan_reminders.services.readers.resend import Resending, resend_email, resend_text
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ActRoute
from loan_reminders.web.lists import LINES, Pages, asked_at, number_asked
from loan_reminders.web.marks.held import check_may_leave, mark_left
from loan_reminders.web.page import At, Page, Place, Typed, said
from loan_reminders.web.readers.back import Told, not_done, to_reader
from loan_reminders.web.readers.offered import hold_row

PATIENCE_S = 20
"""How long, in seconds, a page waits for each answer of the ILS or of a server: somebody sits before it."""

log = logging.getLogger(__name__)
router = APIRouter(route_class=ActRoute)
Made = TypeVar("Made")

HELD = "C'est noté : rien ne part d'ici là. Ce qui attendait déjà est écarté au moment de l'envoi."
LIFTED = "La suspension est levée : la prochaine étape partira à son jour."
_LOST = {HoldRefusal.UNKNOWN_READER: 404, HoldRefusal.UNKNOWN_LOAN: 404, HoldRefusal.NOT_IN_FORCE: 409}


@router.get("/lecteurs/suspendus")
def held_page(
    at: At,
    quoi: Annotated[Typed, Query(max_length=10)] = "",
    tri: Annotated[Typed, Query(max_length=10)] = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """The readers and loans not written to today, those that end first first, or with `tri` « fin » last.

    `quoi` shows whole readers (« lecteurs ») or single loans (« prets »).
    """
    return _held_page(at, quoi=quoi, tri=tri, page=page)


@router.post("/lecteurs/renvoi")
def send_again(
    at: At,
    who: Librarian,
    lecteur: Annotated[Typed, Form(min_length=1, max_length=200)],
    canal: Annotated[Typed, Form(max_length=20)] = Channel.EMAIL.value,
) -> Response:
    """Send a reader's last e-mail or SMS once more."""
    if canal not in (Channel.EMAIL.value, Channel.SMS.value):
        return at.problem("Une lettre ne se renvoie pas d'ici : une copie se fait sur la page de son lot.", 400)
    try:
        check_may_leave()
        resent = _resend(lecteur, Channel(canal), who=who)
        mark_left()
        done = resent_words(resent.channel, resent.state, documents=resent.documents, left_out=resent.left_out)
        return to_reader(at, lecteur, done)
    except (ReminderError, OSError) as error:
        return _refused(at, who, Told(patron_id=lecteur), error)


@router.post("/lecteurs/suspension")
def hold(
    at: At,
    who: Librarian,
    lecteur: Annotated[Typed, Form(min_length=1, max_length=200)],
    pret: Annotated[Typed, Form(max_length=200)] = "",
    jusqu_au: Annotated[Typed, Form(max_length=10)] = "",
    motif: Annotated[Typed, Form(max_length=300)] = "",
) -> Response:
    """Not to write to a reader, or about one loan, until a day."""
    today = datetime.now(settings().zone).date()
    told = Told(patron_id=lecteur, form="suspension", fields={"pret": pret, "jusqu_au": jusqu_au, "motif": motif})
    try:
        until = written_day(jusqu_au)
    except ValueError:
        return not_done(at, who, told, "Il manque la date jusqu'à laquelle ne pas écrire.", 400)
    try:
        check_hold(until=until, reason=motif, today=today)
        ledger_access.holds().place(patron_id=lecteur, loan_id=pret, until=until, reason=motif, who=who, today=today)
        return to_reader(at, lecteur, HELD)
    except ReminderError as error:
        return _refused(at, who, told, error)


@router.post("/lecteurs/levee")
def lift(
    at: At,
    who: Librarian,
    suspension: Annotated[int, Form(ge=1, lt=2**63)],
    motif: Annotated[Typed, Form(max_length=300)] = "",
    lecteur: Annotated[Typed, Form(max_length=200)] = "",
    ici: Place = "",
) -> Response:
    """End a hold before its day, with a reason: from the page of this reader, or from the list of holds."""
    today = datetime.now(settings().zone).date()
    try:
        if not motif.strip():
            raise HoldRefused(HoldRefusal.NO_REASON)
        lifted: Hold = ledger_access.holds().lift(suspension, reason=motif, who=who, today=today)
        if lecteur:
            return to_reader(at, lifted.patron_id, LIFTED)
        return at.back("lecteurs/suspendus", ici, said=LIFTED)
    except ReminderError as error:
        if lecteur:
            return _refused(at, who, Told(patron_id=lecteur), error)
        if not isinstance(error, HoldRefused):
            return at.unavailable(error)
        asked = asked_at(at.returning(ici))
        return _held_page(
            at,
            quoi=asked.get("quoi", ""),
            tri=asked.get("tri", ""),
            page=number_asked(asked),
            problem=sentence(error),
            status=_LOST.get(HoldRefusal(error.code), 400),
        )


def _resend(patron_id: str, channel: Channel, *, who: str) -> Resent:
    config = settings()
    ils = config.ils.model_copy(update={"call_timeout_seconds": min(config.ils.call_timeout_seconds, PATIENCE_S)})
    work = Resending(
        resends=ledger_access.resends(),
        source=lambda: loan_source(ils, codes=config.codes(), for_pages=True),
        policy=config.policy(),
        now=datetime.now(config.zone),
        who=who,
    )
    redirect, templates = config.redirection(), config.templates
    mail, sms = config.email.connection, config.sms.connection

    def clock() -> datetime:
        return datetime.now(config.zone)

    if channel is Channel.EMAIL:
        identity, sender = config.email_identity(), config.email.bounce_address or config.email.sender_address
        return resend_email(
            work,
            patron_id,
            composer=lambda stage: email_composer(templates, identity, stage=stage, clock=clock, redirect=redirect),
            open_relay=lambda: _connected(
                mail, lambda: mail_relay(mail, envelope_sender=sender, patience_s=PATIENCE_S)()
            ),
            bounce_address=config.email.bounce_address,
        )
    return resend_text(
        work,
        patron_id,
        composer=lambda stage: text_composer(
            templates, config.text_rules(), stage=stage, library=config.identity(), clock=clock, redirect=redirect
        ),
        open_provider=lambda stage: _connected(
            sms,
            lambda: sms_gateway(
                sms, sender=config.sms.sender, campaign=f"renvoi-{stage}-{work.today:%Y%m%d}", api=config.sms.api
            ),
        ),
        budget=config.sms_budget(),
        window=config.sms_window(),
    )


def _connected(name: str, make: Callable[[], Made]) -> Made:
    """What a connection of Airflow gives. Raises SettingsError when Airflow has no usable one of that name."""
    try:
        return make()
    except ReminderError:
        raise
    except Exception as error:
        raise SettingsError(
            f"Airflow n'a pas de connexion {name} utilisable : la créer, puis réessayer ({type(error).__name__})."
        ) from None


def _refused(at: Page, who: str, told: Told, error: Exception) -> Response:
    """The reader's page with what is wrong: 409 for what is not allowed, 503 for what does not answer."""
    if isinstance(error, HoldRefused):
        return not_done(at, who, told, sentence(error), _LOST.get(HoldRefusal(error.code), 400))
    if isinstance(error, ResendRefused):
        return not_done(at, who, told, sentence(error), 409)
    log.error("%s", sentence(error) if isinstance(error, ReminderError) else unexpected(error))
    words = said(error) if isinstance(error, ReminderError) else "Le serveur ne répond pas."
    return not_done(at, who, told, words, 503)


def _held_page(at: Page, *, quoi: str, tri: str, page: int, problem: str = "", status: int = 200) -> Response:
    last_first = tri == "fin"
    of_loans = {"lecteurs": False, "prets": True}.get(quoi)
    asked = {"quoi": quoi if of_loans is not None else "", "tri": "fin" if last_first else ""}
    zone = settings().zone
    now = datetime.now(zone)
    today = now.date()
    try:
        holds = ledger_access.holds()
        pages = Pages(number=page, lines=holds.count(today=today, of_loans=of_loans), asked=asked)
        pages = replace(pages, number=min(page, pages.last))
        found = holds.in_force(today=today, of_loans=of_loans, last_first=last_first, limit=LINES, offset=pages.offset)
    except ReminderError as error:
        return at.unavailable(error)
    rows = [(hold_row(one.hold, now=now, zone=zone), one.reader_number, one.name, one.card) for one in found]
    context = {"rows": rows, "pages": pages, "asked": asked, "problem": problem, "today": day_words(today)}
    return at.html("suspendus.html.j2", status, **context)
