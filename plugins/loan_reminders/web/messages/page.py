"""The page of messages: each as its reader sees it, what an SMS costs, and which file holds each sentence.

With made-up readers whoever sees figures may look; with a real loan only whoever may act, and the journal keeps it.
What takes long to make is kept in this process until a template changes or the day ends.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Response
from fastapi.responses import HTMLResponse

from loan_reminders.domain.dispute.loan_file import LoanSearch
from loan_reminders.domain.errors import RecipientError, ReminderError
from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.loans import Loan
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.stages import STAGE_CHANNELS, Channel, Stage
from loan_reminders.french.pages.messages import AN_EXAMPLE, REAL_LOAN, SAMPLE_STAMP, SAMPLES, dear_words
from loan_reminders.french.words import CONTACTS, ONE_CHANNEL, REFUSALS, STAGES
from loan_reminders.services.previews import EmailPreview, Previews, real_delivery, samples
from loan_reminders.settings.library_toml import TEMPLATES, settings
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ActRoute, SeeRoute
from loan_reminders.web.middleware import FRAMED
from loan_reminders.web.page import At, Page, Typed

seen = APIRouter(route_class=SeeRoute)
acted = APIRouter(route_class=ActRoute)

NO_SUCH = "Ce message n'existe pas : revenir à la page et le choisir dans la liste."
MOST_KEPT = 64
_PAPER = (Channel.LETTER, Channel.REGISTERED_LETTER)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which message is looked at."""

    stage: Stage
    channel: Channel
    language: str
    sample: str

    @property
    def query(self) -> str:
        return urlencode({"etape": self.stage, "canal": self.channel, "langue": self.language, "exemple": self.sample})


class _NoSuchMessage(ReminderError):
    """A stage, channel, language or example that there is not."""


Word = Annotated[Typed, Query(max_length=40)]
Field = Annotated[Typed, Form(max_length=40)]


@seen.get("/messages")
def page(at: At, etape: Word = "", canal: Word = "", langue: Word = "", exemple: Word = "") -> Response:
    """One message with a made-up reader; without a choice, the first of the procedure."""
    try:
        asked = _asked(etape, canal, langue, exemple)
        return _page(at, asked, _sample(asked))
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
        return HTMLResponse(_email(asked, _today(), _newest()).html, headers=FRAMED)
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
        pages = _letter(asked, _today(), _newest()) if asked.channel in _PAPER else ()
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
        found = ledger_access.dispute().find(search, limit=2) if search.loan_id else ()
        if len(found) != 1 or found[0].loan is None:
            return _page(at, asked, _sample(asked), problem=_not_one(search, len(found)), status=404)
        loan = found[0].loan
        try:
            delivery = real_delivery(loan, stage=asked.stage, channel=asked.channel)
        except RecipientError as error:
            why = f"{CONTACTS[asked.channel]} : {REFUSALS[error.code]}"
            problem = f"Ce lecteur n'a pas de quoi recevoir ce message ({why})."
            return _page(at, asked, _sample(asked), problem=problem, status=409)
        ledger_access.journal().keep(
            who=who,
            act=JournalAct.REAL_LOAN_PREVIEWED,
            patron_id=loan.patron.patron_id,
            detail="",
        )
        if framed:
            return HTMLResponse(_document(delivery), headers=FRAMED)
        return _page(at, asked, delivery, loan=loan)
    except _NoSuchMessage:
        return at.problem(NO_SUCH, 404)
    except ReminderError as error:
        return at.unavailable(error)


def _not_one(search: LoanSearch, found: int) -> str:
    if not search.loan_id:
        return "Saisir un numéro de prêt, un code-barres de document, ou la référence d'une lettre."
    if found > 1:
        return "Plusieurs prêts répondent : saisir le numéro du prêt."
    return "Le registre ne connaît aucun prêt qui réponde à cette recherche."


def _asked(etape: str, canal: str, langue: str, exemple: str) -> _Asked:
    stage = Stage(etape) if etape in set(Stage) else Stage.COURTESY_NOTICE
    channels = _channels(stage)
    channel = Channel(canal) if canal in set(Channel) else channels[0]
    languages = _languages(stage, channel, _newest()) if channel in channels else {}
    sample = exemple or next(iter(SAMPLES))
    known = (not etape or etape in set(Stage)) and (not canal or canal in set(Channel)) and sample in SAMPLES
    if not known or channel not in channels or (langue or "fr") not in languages:
        raise _NoSuchMessage
    return _Asked(stage, channel, langue or "fr", sample)


def _channels(stage: Stage) -> tuple[Channel, ...]:
    return tuple(channel for channel in Channel if channel in STAGE_CHANNELS[stage])


def _previews() -> Previews:
    ours = settings()
    return Previews(
        TEMPLATES,
        identity=ours.email_identity(),
        rules=ours.text_rules(),
        layout=ours.letter_layout(),
        clock=lambda: datetime.now(ours.zone),
    )


def _sample(asked: _Asked) -> Delivery:
    ours = settings()
    made = samples(
        ours.policy(),
        ours.identity(),
        stage=asked.stage,
        channel=asked.channel,
        language=asked.language,
        today=_today(),
    )
    return next(one.delivery for one in made if one.name == asked.sample)


def _today() -> date:
    return datetime.now(settings().zone).date()


def _newest() -> float:
    """When a template last changed: what was made before that is made anew."""
    return max((file.stat().st_mtime for file in TEMPLATES.rglob("*") if file.is_file()), default=0.0)


@lru_cache(maxsize=MOST_KEPT)
def _languages(stage: Stage, channel: Channel, _: float) -> Mapping[str, str]:
    return _previews().languages(stage, channel)


@lru_cache(maxsize=MOST_KEPT)
def _email(asked: _Asked, _: date, __: float) -> EmailPreview:
    return _previews().email(_sample(asked))


@lru_cache(maxsize=MOST_KEPT)
def _letter(asked: _Asked, _: date, __: float) -> tuple[bytes, ...]:
    return _previews().letter(_sample(asked), word=SAMPLE_STAMP, line=AN_EXAMPLE)


def _document(delivery: Delivery) -> str:
    """The document of the frame for a real loan: an e-mail as it is, or the pages of a letter."""
    if delivery.channel is Channel.EMAIL:
        return _previews().email(delivery).html
    pages = _previews().letter(delivery, word=SAMPLE_STAMP, line=REAL_LOAN)
    images = (
        f'<img alt="Page {number}" src="data:image/png;base64,{b64encode(one).decode()}" style="width:100%">'
        for number, one in enumerate(pages, start=1)
    )
    return f'<!doctype html><html lang="fr"><meta charset="utf-8"><title>Lettre</title>{"".join(images)}</html>'


def _page(
    at: Page, asked: _Asked, delivery: Delivery, *, loan: Loan | None = None, problem: str = "", status: int = 200
) -> Response:
    previews, newest = _previews(), _newest()
    email = text = None
    pages = 0
    if asked.channel is Channel.EMAIL:
        email = _email(asked, _today(), newest) if loan is None else previews.email(delivery)
    elif asked.channel is Channel.SMS:
        text = previews.sms(delivery)
    elif loan is None:
        pages = len(_letter(asked, _today(), newest))
    language = asked.language if loan is None else loan.patron.language
    languages = _languages(asked.stage, asked.channel, newest)
    return at.html(
        "messages.html.j2",
        status,
        stages=[
            (
                STAGES[stage],
                [
                    (channel.value, ONE_CHANNEL[channel], _Asked(stage, channel, "fr", next(iter(SAMPLES))).query)
                    for channel in _channels(stage)
                ],
                stage is asked.stage,
            )
            for stage in Stage
        ],
        asked=asked,
        stage=STAGES[asked.stage],
        channel=ONE_CHANNEL[asked.channel],
        languages=[
            (name, _Asked(asked.stage, asked.channel, code, asked.sample).query, code == asked.language)
            for code, name in languages.items()
        ],
        examples=[
            (words, _Asked(asked.stage, asked.channel, asked.language, name).query, name == asked.sample)
            for name, words in SAMPLES.items()
        ],
        email=email,
        text=text,
        dear=[dear_words(one) for one in text.dear] if text else [],
        pages=range(1, pages + 1),
        places=previews.parts(asked.stage, asked.channel, language if language in languages else "fr"),
        loan=loan,
        problem=problem,
    )


router = APIRouter()
router.include_router(seen)
router.include_router(acted)
