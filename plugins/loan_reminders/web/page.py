"""What all pages share: how they are written, where their links lead, how they say what went wrong."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Annotated, Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

from fastapi import Depends, FastAPI, Form, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pydantic import AfterValidator
from starlette.exceptions import HTTPException as AnyHTTPException

from loan_reminders.domain.errors import RETRIED, ReminderError
from loan_reminders.domain.stages import Stage
from loan_reminders.french.plurals import many, one_or_many
from loan_reminders.french.refusals import sentence
from loan_reminders.french.typography import spaced_page
from loan_reminders.settings.libraries import current_library
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.access import SPOILT_TOKEN, Authenticator, Person, Refused, Right, login_address, our_origins
from loan_reminders.web.badge import misses_today, to_do_count
from loan_reminders.web.forms import forget_said, said_by_a_form, say_once
from loan_reminders.web.frame import frame
from loan_reminders.web.lists import asked_at
from loan_reminders.web.middleware import AccessLogWithoutSecrets, SecurityHeaders

log = logging.getLogger(__name__)

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,  # they come with the program: no look at eight files before each page
)


def with_commands(words: str) -> Markup:
    """A sentence whose commands, between backquotes as in a log, are set apart as a page does."""
    frames = (Markup("{}"), Markup("<code>{}</code>"))
    return Markup("").join(frames[place % 2].format(piece) for place, piece in enumerate(words.split("`")))


_PAGES.filters["with_commands"] = with_commands
_PAGES.globals |= {"new_key": lambda: str(uuid4()), "many": many, "one_or_many": one_or_many}
_ERROR = r"(?:[A-Za-z]*(?:Error|Exception|Timeout|Disconnected)|gaierror)"
_CODE = rf"(?:{_ERROR}|\d{{4}}|(?=[A-Z]*\d)[0-9A-Z]{{5}}|(?:ORA|DPY)-\d+)"
_STATE = re.compile(rf"\s\(SQLSTATE \w{{5}}\)|, SQLSTATE \w{{5}}|\s\({_ERROR}\)|(?<=: ){_CODE}, (?=[a-zàéèêô])")
_BY_A_TASK = re.compile(r"relancer la tâche(?: \(Effacer\))?")
_ANCHOR = re.compile(r"[\w-]{1,60}")
_PIECE = 256 * 1024
A_MOMENT = 0.5
"""Seconds that a page waits for Airflow, for the sake of the number beside the first tab."""
_WORDS = {
    400: "La demande ne peut pas être lue.",
    401: "Il faut se connecter à Airflow.",
    403: "Vous n'avez pas la permission d'ouvrir cette page.",
    404: "Cette page n'existe pas.",
    405: "Cette page ne se demande pas ainsi.",
    500: "Erreur inattendue : rien n'a été montré. Réessayer ; si cela dure, prévenir l'administrateur, qui en trouvera"
    " le lieu dans le journal du serveur web.",
}


def _storable(text: str) -> str:
    """Text that the ledger can keep: no NUL, no half of a character."""
    if "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ValueError("a sign that no keyboard gives")
    return text


Typed = Annotated[str, AfterValidator(_storable)]
"""What somebody typed in a form or an address; every text field of a page is one."""

GoesOn = Callable[[Request], Awaitable[Collection[Stage]]]
"""Which stages' runs of today go on in Airflow, for whoever asks; the application has it as `state.goes_on`."""
Place = Annotated[Typed, Form(max_length=400)]
"""Where in its list a form stands: the field `ici` that `parts.here` writes."""


class Page:
    """The page that answers one request; a route asks for it as `At`."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._root = str(request.scope.get("root_path", ""))
        self._path = str(request.scope["path"]).removeprefix(self._root)
        self.going: Collection[Stage] | None = None
        self.place = request.url.query if request.method == "GET" else ""
        """What the address asks of the list that is shown; a form that is refused sets it again to its own place."""

    def link(self, path: str) -> str:
        """The address of one of our pages (`lots/3`), wherever a proxy or Airflow put them."""
        return f"{self._root}/{path}"

    def static(self, name: str) -> str:
        """The address of our style or script; of several libraries, that of the page where one is chosen."""
        root = self._root if current_library() is None else self._root.rpartition("/")[0]
        return f"{root}/static/{name}"

    def may(self, right: str) -> bool:
        """Whether whoever asks has a right; a stranger has none."""
        person: Person | None = getattr(self._request.state, "person", None)
        return person is not None and Right(right) in person.rights

    def html(self, template: str, status: int = 200, **context: object) -> HTMLResponse:
        """A page out of its template, which also knows `link`, `may`, the `frame` and how much is to do."""
        here = frame(self._path.strip("/"), self.may)
        number = to_do_count(self.going) if self.may(Right.ACT) else None
        said = self.said if status == 200 else ""
        html = _PAGES.get_template(template).render(
            {"to_do_count": number, "place": self.place, **context, "done": context.get("done") or said},
            link=self.link,
            static=self.static,
            may=self.may,
            frame=here,
            one_of_several=self._one_of_several(),
        )
        answer = HTMLResponse(spaced_page(html), status)
        if said:
            forget_said(answer, self._root + self._path)
        return answer

    @property
    def said(self) -> str:
        """What the form did that led here, in words. No address can say it, and to load the page again does not."""
        return said_by_a_form(self._request, self._root + self._path)

    def _one_of_several(self) -> tuple[str, str] | None:
        """The name of this library for who may see it, and where another is chosen; None where there is only one."""
        if current_library() is None:
            return None
        name = settings().library.short_name if self.may(Right.SEE) or self.may(Right.ACT) else ""
        return name, f"{self._root.rpartition('/')[0]}/"

    def to(self, path: str, *, said: str = "", **query: str) -> RedirectResponse:
        """Send the browser to one of our pages after a change (303: it asks for it by GET), which says what was done.

        The words hold no reader's data; a cookie for that page alone carries them, and they are said once.
        """
        return self._led(path, query, said=said)

    def returning(self, place: str) -> str:
        """The place of a form that may be refused: the page with what is wrong is shown as from there."""
        self.place = place.partition("#")[0]
        return place

    def back(self, path: str, place: str, *, said: str = "") -> RedirectResponse:
        """Send the browser back to where in a list a form was sent from: `place` is its field of that name."""
        asked, _, anchor = place.partition("#")
        kept = {name: value for name, value in asked_at(asked).items() if value}
        return self._led(path, kept, said=said, anchor=anchor if _ANCHOR.fullmatch(anchor) else "")

    def nearest(self, path: str, asked: Mapping[str, str], number: int) -> RedirectResponse:
        """From a page of a list that has no line to one that may have some: its last line was settled, or never was.

        What was just done is said there.
        """
        before = {"page": str(number - 1)} if self.said else {}
        return self._led(path, {name: words for name, words in asked.items() if words} | before, said="")

    def _led(self, path: str, query: Mapping[str, str], *, said: str, anchor: str = "") -> RedirectResponse:
        asked = f"?{urlencode(query, quote_via=quote, safe='')}" if query else ""
        answer = RedirectResponse(f"{self.link(path)}{asked}{f'#{anchor}' if anchor else ''}", 303)
        if said:
            say_once(self._request, answer, self.link(path), said)
        return answer

    def problem(self, words: str, status: int) -> HTMLResponse:
        """A page that says what is wrong, and nothing else."""
        return self.html("indisponible.html.j2", status, problem=words)

    def unavailable(self, error: ReminderError) -> HTMLResponse:
        """The page for what a librarian cannot mend."""
        log.error("%s : %s", self._path, sentence(error))
        return self.problem(said(error), 503)


async def page_of(request: Request) -> Page:
    """The page of a request. A coroutine, as all that a page depends on: anything else is given to a thread of its own.

    Each change of thread waits its turn among all who compute; a page has enough of them. Airflow is asked what goes on
    only while a run of today is missing in the ledger, and only for a moment: the number beside the first tab needs it.
    """
    page = Page(request)
    goes_on: GoesOn | None = getattr(request.app.state, "goes_on", None)
    if goes_on is not None and page.may(Right.ACT) and misses_today():
        with suppress(TimeoutError):
            async with asyncio.timeout(A_MOMENT):
                page.going = await goes_on(request)
    return page


At = Annotated[Page, Depends(page_of)]


def said(error: ReminderError) -> str:
    """What went wrong, for a page: the sentence of the error, without a promise that a task is tried again."""
    return by_hand(sentence(error))


def by_hand(words: str) -> str:
    """A sentence for a page: it says « try again » where the log of a task says « is tried again by itself ».

    Codes of databases and names of errors are for whoever reads the server's log, where the same sentence has them.
    """
    words = _BY_A_TASK.sub("recommencer", _STATE.sub("", words))
    return words.replace(RETRIED, "Réessayer ; si cela dure, prévenir l'administrateur.").strip()


def download(name: str, media_type: str, content: IO[bytes]) -> StreamingResponse:
    """A file to save, in pieces; `content` is closed at the end."""
    size = content.seek(0, 2)
    content.seek(0)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(size)}
    return StreamingResponse(_pieces(content), media_type=media_type, headers=headers)


def _pieces(content: IO[bytes]) -> Iterator[bytes]:
    with content:
        while piece := content.read(_PIECE):
            yield piece


async def refused(request: Request, error: Exception) -> Response:
    """Send a browser without a valid session to Airflow's login, and say anything else on a page."""
    if not isinstance(error, AnyHTTPException):
        raise error
    no_session = error.status_code == 401 or (error.status_code == 403 and error.detail == SPOILT_TOKEN)
    if no_session and request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(login_address(request), 303)
    if no_session and request.method == "POST":
        return _session_is_over(request, error.status_code)
    usual = _WORDS.get(error.status_code, "La demande est refusée.")
    words = error.detail if isinstance(error, Refused) else usual
    answer = Page(request).problem(words, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


def _session_is_over(request: Request, status: int) -> Response:
    """What to do with a form that was sent after the session had ended: nothing is changed, and nothing typed is lost.

    The browser sends the form again when this page is loaded again; its key lets it be acted upon once.
    """
    at = Page(request)
    home = str(request.url.replace(path=at.link(""), query=""))
    asked_by = urlsplit(request.headers.get("referer", ""))
    ours = f"{asked_by.scheme}://{asked_by.netloc}".lower() in our_origins(request)
    form = f"{asked_by.path}?{asked_by.query}".rstrip("?") if ours else at.link("")
    return at.html("session_terminee.html.j2", status, login=login_address(request, back=home), form=form)


async def unreadable(request: Request, error: Exception) -> Response:
    """What a form or an address holds that cannot be, in words that do not repeat it."""
    if not isinstance(error, RequestValidationError):
        raise error
    found = error.errors()
    if any(one["loc"][0] == "path" for one in found):
        return Page(request).problem(_WORDS[404], 404)
    return Page(request).problem(" ".join(dict.fromkeys(map(_field_error, found))), 400)


def _field_error(error: dict[str, Any]) -> str:
    name, kind = error["loc"][-1], error["type"]
    if kind == "missing":
        return f"Il manque le champ « {name} »."
    if kind in ("string_too_long", "too_long"):
        return f"Le champ « {name} » a plus de {error['ctx']['max_length']} signes."
    return f"Le champ « {name} » ne peut pas avoir cette valeur."


def bare_application(authenticator: Authenticator) -> FastAPI:
    """An application without pages: who asks, the headers of every answer, pages for errors, what the log may know."""
    app = FastAPI(
        title="Relances", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, lifespan=_lifespan
    )
    app.state.authenticator = authenticator
    app.add_middleware(SecurityHeaders)
    app.add_middleware(AccessLogWithoutSecrets)
    app.add_exception_handler(AnyHTTPException, refused)
    app.add_exception_handler(RequestValidationError, unreadable)
    return app


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield
    ledger_access.close()
