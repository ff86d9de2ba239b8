"""The page of messages: each as its reader sees it, what an SMS costs, and which file holds each sentence.

With made-up readers whoever sees figures may look; with a real loan only whoever may act, and the journal keeps it.
What takes long to make is kept, in `made`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Query, Response
from fastapi.responses import HTMLResponse

from loan_reminders.domain.dispute.loan_file import LoanFound, LoanSearch
from loan_reminders.domain.errors import RecipientError, ReminderError
from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.loans import Loan
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.french.pages.messages import SAMPLES, dear_words
from loan_reminders.french.words import CONTACTS, ONE_CHANNEL, REFUSALS, STAGES
from loan_reminders.services.dispute.loan_file import NOT_FOUND, SEVERAL, choice_words, find_loans
from loan_reminders.services.previews import real_delivery
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ActRoute, SeeRoute
from loan_reminders.web.messages import made
from loan_reminders.web.messages.made import Asked
from loan_reminders.web.middleware import FRAMED
from loan_reminders.web.page import At, Page, Typed
from loan_reminders.web.statistics.effect_page import running

seen = APIRouter(route_class=SeeRoute)
acted = APIRouter(route_class=ActRoute)

NO_SUCH = "Ce message n'existe pas : revenir à la page et le choisir dans la liste."
NOTHING_TYPED = "Saisir un numéro de prêt, un code-barres de document, ou la référence d'une lettre."
ONE_LOOK = timedelta(minutes=1)
"""A frame that is filled so soon after its page is not another look at the reader's message."""
_PAPER = (Channel.LETTER, Channel.REGISTERED_LETTER)


class _NoSuchMessage(ReminderError):
    """A stage, channel, language or example that there is not."""


Word = Annotated[Typed, Query(max_length=40)]
Field = Annotated[Typed, Form(max_length=40)]


@seen.get("/messages")
def page(at: At, etape: Word = "", canal: Word = "", langue: Word = "", exemple: Word = "") -> Response:
    """One message with a made-up reader; without a choice, the first of the procedure."""
    try:
        asked = _asked(etape, canal, langue, exemple)
        return _page(at, asked, made.sample(asked))
    except _NoSuchMessage:
        return at.problem(NO_SUCH, 404)
    except ReminderError as error:
        return at.unavailable(error)


@seen.get("/messages/cadre")
def framed(at: At, etape: Word = "", canal: Word = "", langue: Word = "", exemple: Word = "") -> Response:
    """The HTML of an e-mail, for the frame of the page."""
    try:
        asked = _asked(etape, canal, langue, exemple)
        if asked.channel is not Channel.EMAIL:
            return at.problem(NO_SUCH, 404)
        return HTMLResponse(made.email(asked, made.today(), made.newest()).html, headers=FRAMED)
    except _NoSuchMessage:
        return at.problem(NO_SUCH, 404)
    except ReminderError as error:
        return at.unavailable(error)


@seen.get("/messages/page.png")
def image(
    at: At,
    etape: Word = "",
    canal: Word = "",
    langue: Word = "",
    exemple: Word = "",
    numero: Annotated[int, Query(ge=1, le=500)] = 1,
) -> Response:
    """One page of a letter as an image."""
    try:
        asked = _asked(etape, canal, langue, exemple)
        pages = made.letter(asked, made.today(), made.newest()) if asked.channel in _PAPER else ()
    except _NoSuchMessage:
        return at.problem(NO_SUCH, 404)
    except ReminderError as error:
        return at.unavailable(error)
    if numero > len(pages):
        return at.problem("Cette lettre n'a pas tant de pages.", 404)
    return Response(pages[numero - 1], media_type="image/png")


@acted.post("/messages/vrai")
def with_real_loan(
    at: At,
    who: Librarian,
    etape: Field = "",
    canal: Field = "",
    recherche: Annotated[Typed, Form(max_length=100)] = "",
    pret: Annotated[Typed, Form(max_length=200)] = "",
) -> Response:
    """The message that a reader would get about one loan, found by anything that names it; the journal keeps it."""
    return _real(at, who, etape=etape, canal=canal, recherche=recherche, pret=pret, framed=False)


@acted.post("/messages/vrai/cadre")
def framed_with_real_loan(
    at: At, who: Librarian, etape: Field = "", canal: Field = "", pret: Annotated[Typed, Form(max_length=200)] = ""
) -> Response:
    """The same e-mail or letter laid out, for the frame of the page: the loan travels in the body of the request."""
    return _real(at, who, etape=etape, canal=canal, recherche="", pret=pret, framed=True)


def _real(at: Page, who: str, *, etape: str, canal: str, recherche: str, pret: str, framed: bool) -> Response:
    try:
        asked = _asked(etape, canal, "", "")
        search = LoanSearch(loan_id=pret) if pret else LoanSearch.anything(recherche.strip())
        found = find_loans(ledger_access.dispute(), search) if search.loan_id else ()
        if len(found) > 1:
            return _page(at, asked, made.sample(asked), choices=found)
        if len(found) != 1 or found[0].loan is None:
            problem = NOT_FOUND if search.loan_id else NOTHING_TYPED
            return _page(at, asked, made.sample(asked), problem=problem, status=404)
        loan = found[0].loan
        try:
            delivery = real_delivery(loan, stage=asked.stage, channel=asked.channel)
        except RecipientError as error:
            why = f"{CONTACTS[asked.channel]} : {REFUSALS[error.code]}"
            problem = f"Ce lecteur n'a pas de quoi recevoir ce message ({why})."
            return _page(at, asked, made.sample(asked), problem=problem, status=409)
        # The frame follows its page: together they are one look.
        within = ONE_LOOK if framed else timedelta()
        ledger_access.journal().keep_once(
            who=who, act=JournalAct.REAL_LOAN_PREVIEWED, patron_id=loan.patron.patron_id, within=within
        )
        if framed:
            return HTMLResponse(made.document(delivery), headers=FRAMED)
        return _page(at, asked, delivery, loan=loan)
    except _NoSuchMessage:
        return at.problem(NO_SUCH, 404)
    except ReminderError as error:
        return at.unavailable(error)


def _asked(etape: str, canal: str, langue: str, exemple: str) -> Asked:
    stages = {one.value: one for one in settings().all_stages}
    stage = stages.get(etape, Stage.COURTESY_NOTICE)
    channels = made.channels(stage)
    channel = Channel(canal) if canal in set(Channel) else channels[0]
    languages = made.languages(stage, channel, made.newest()) if channel in channels else {}
    sample = exemple or next(iter(SAMPLES))
    known = (not etape or etape in stages) and (not canal or canal in set(Channel)) and sample in SAMPLES
    if not known or channel not in channels or (langue or "fr") not in languages:
        raise _NoSuchMessage
    return Asked(stage, channel, langue or "fr", sample)


def _page(
    at: Page,
    asked: Asked,
    delivery: Delivery,
    *,
    loan: Loan | None = None,
    choices: Sequence[LoanFound] = (),
    problem: str = "",
    status: int = 200,
) -> Response:
    previews, newest = made.previews(), made.newest()
    email = text = first = None
    pages = 0
    if asked.channel is Channel.EMAIL:
        email = made.email(asked, made.today(), newest) if loan is None else previews.email(delivery)
    elif asked.channel is Channel.SMS:
        text, first = previews.sms(delivery), previews.sms(replace(delivery, first=True))
    elif loan is None:
        pages = len(made.letter(asked, made.today(), newest))
    language = asked.language if loan is None else loan.patron.language
    languages = made.languages(asked.stage, asked.channel, newest)
    return at.html(
        "messages.html.j2",
        status,
        stages=[
            (
                STAGES[stage],
                [
                    (channel.value, ONE_CHANNEL[channel], Asked(stage, channel, "fr", next(iter(SAMPLES))).query)
                    for channel in made.channels(stage)
                ],
                stage is asked.stage,
            )
            for stage in settings().all_stages
        ],
        asked=asked,
        stage=STAGES[asked.stage],
        channel=ONE_CHANNEL[asked.channel],
        languages=[
            (name, Asked(asked.stage, asked.channel, code, asked.sample).query, code == asked.language)
            for code, name in languages.items()
        ],
        examples=[
            (words, Asked(asked.stage, asked.channel, asked.language, name).query, name == asked.sample)
            for name, words in SAMPLES.items()
        ],
        email=email,
        text=text,
        cost=made.cost(text.segments) if text else "",
        first=first,
        first_cost=made.cost(first.segments) if first else "",
        segment_cost=made.cost(1),
        dear=[dear_words(one) for one in dict.fromkeys((*text.dear, *first.dear))] if text and first else [],
        pages=range(1, pages + 1),
        places=previews.parts(asked.stage, asked.channel, language if language in languages else "fr"),
        loan=loan,
        choices=[(one.loan_id, one.loan.title if one.loan else "", choice_words(one)) for one in choices],
        several=SEVERAL,
        problem=problem,
        running=running(made.today()),
    )


router = APIRouter()
router.include_router(seen)
router.include_router(acted)
