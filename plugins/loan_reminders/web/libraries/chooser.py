"""Several libraries below `/relances`: each has all pages below its code, and the first page leads to them.

`/relances/montclar/lots` is the page `lots` of the library `montclar`: the same application as for one library, which
is entered for each request with that library as the current one. Whoever may not read its DAGs is refused by every
page, and learns from no answer whether there is a library of that code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from loan_reminders.domain.dag_ids import library_of
from loan_reminders.domain.errors import SettingsError
from loan_reminders.settings.libraries import codes, current_file, of_library
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import page
from loan_reminders.web.access import SETTINGS_WRONG, Authenticator, Refused
from loan_reminders.web.page import At, Typed

_STATIC = Path(__file__).parents[1] / "static"
_KINDS = {"relances.css": "text/css", "pages.css": "text/css", "relances.js": "text/javascript"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A library that this person may open; `name` is empty when its settings cannot be read."""

    code: str
    name: str


class OfOneLibrary:
    """The pages, for the library whose code is the first part of the address."""

    def __init__(self, pages: ASGIApp, authenticator: Authenticator) -> None:
        self.pages = pages
        self._authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of one library."""
        with of_library(scope["path_params"]["library"]):
            answer = self.pages
            try:
                settings()
            except SettingsError:
                if scope["type"] == "http":
                    answer = await self._refusal(Request(scope, receive))
            await answer(scope, receive, send)

    async def _refusal(self, request: Request) -> Response:
        """That the settings are wrong, for who may see the library; for others, the same as of any they may not."""
        try:
            code = request.path_params["library"]
            visible = await self._authenticator.libraries(request, _known(code))
            return await page.refused(request, Refused(503, SETTINGS_WRONG) if visible else HTTPException(403))
        except AnyHTTPException as error:  # no session
            return await page.refused(request, error)


def _known(code: str) -> tuple[str, ...]:
    with of_library(code):
        try:
            current_file()
        except SettingsError:
            return ()
    return (code,)


def several_libraries(pages: FastAPI, authenticator: Authenticator) -> FastAPI:
    """The application below `/relances` of an installation of several libraries; `pages` are those of each."""
    app = page.bare_application(authenticator)
    app.include_router(router)
    app.mount("/{library}", OfOneLibrary(pages, authenticator))
    return app


router = APIRouter()


async def _visible(request: Request, among: Sequence[str]) -> tuple[str, ...]:
    """Those of these libraries that whoever asks may see. Raises HTTPException 401 without a session."""
    authenticator: Authenticator = request.app.state.authenticator
    return await authenticator.libraries(request, among)


@router.get("/")
async def choose(request: Request, at: At) -> Response:
    """The libraries that this person may see; the only one at once."""
    found = await _visible(request, codes())
    if not found:
        raise HTTPException(403)
    if len(found) == 1:
        return at.to(f"{found[0]}/")
    return at.html("bibliotheques.html.j2", choices=sorted(map(_choice, found), key=lambda one: one.name or one.code))


def _choice(code: str) -> Choice:
    with of_library(code):
        try:
            return Choice(code=code, name=settings().library.name)
        except SettingsError:
            return Choice(code=code, name="")


@router.get("/tournees/airflow")
async def run_of_airflow(
    request: Request,
    at: At,
    dag: Annotated[Typed, Query(max_length=250)] = "",
    tournee: Annotated[Typed, Query(max_length=250)] = "",
) -> Response:
    """The tab « Relances » of a run in Airflow's own pages: its address names the DAG, which names the library."""
    code = library_of(dag)
    if not await _visible(request, _known(code) if code else ()):
        raise HTTPException(403)
    return at.to(f"{code}/tournees/airflow", dag=dag, tournee=tournee)


@router.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    """The style and the script of this page, for whoever is logged in."""
    await _visible(request, ())
    if name not in _KINDS:
        raise HTTPException(404)
    return FileResponse(_STATIC / name, media_type=_KINDS[name])


@router.get("/{library}")
async def without_slash(request: Request, library: str) -> Response:
    """A library's address as a person types it."""
    return RedirectResponse(f"{request.scope.get('root_path', '')}/{library}/", 307)
