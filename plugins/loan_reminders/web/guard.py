"""What every route checks before it reads the body of a request: the right, the origin and the length."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.types import Message

from loan_reminders.domain.errors import SettingsError, unexpected
from loan_reminders.french.refusals import sentence
from loan_reminders.settings.library_toml import forget_settings, settings
from loan_reminders.web.access import SETTINGS_WRONG, Refused, Right, admit, our_origins
from loan_reminders.web.forms import act_once
from loan_reminders.web.shared_answers import forget_all

LARGEST_FORM = 64 * 1024
"""Bytes of a form without a file at most."""
READING = frozenset({"GET", "HEAD"})

FOREIGN = "Cette demande ne vient pas des pages de Relances : elle est refusée, et rien n'a été changé."
TOO_LARGE = "Ce qui a été envoyé est trop grand : rien n'a été lu."

AT_ONCE, PATIENCE_S = 2, 1.0
"""Answers of routes `in_turn` that are made side by side, and how many seconds one waits for its turn at most."""

log = logging.getLogger(__name__)

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


class GuardedRoute(APIRoute):
    """A route that asks for a right. Use `SeeRoute`, `ActRoute` or `AdministerRoute` as a router's `route_class`.

    FastAPI reads a form before it calls any dependency; whoever lacks the right is refused here, before that. Only
    `KnownRoute` has none: a session is enough.
    """

    right: ClassVar[Right | None]
    largest: ClassVar[int] = LARGEST_FORM
    changes: ClassVar[bool] = True
    """Whether a form changes something: then what pages share is asked for anew."""
    in_turn: ClassVar[bool] = False
    """Whether only `AT_ONCE` answers are made at once. Ten threads that put twenty questions each to the ledger keep
    one another from the processor: all ten are answered a quarter later than two by two."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's answer, behind the guard."""
        answer = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            forget_settings()  # this process is weeks old; a file that did not change is not read again
            await admit(request, self.right)
            try:
                _check_settings()
                if request.method not in READING:
                    _refuse_foreign(request)
                if not self.in_turn:
                    return await self._answered(request, answer)
                async with _taken_in_turn():
                    return await self._answered(request, answer)
            except (HTTPException, RequestValidationError):
                raise
            except ClientDisconnect:
                raise Refused(400, "La demande s'est interrompue : rien n'a été changé.") from None
            except Exception as error:
                # Its words may be a reader's: only what it is and where goes to the log.
                log.error("Page en erreur, %s", unexpected(error))
                raise HTTPException(500) from None

        return guarded

    async def _answered(self, request: Request, answer: Callable[[Request], Coroutine[Any, Any, Response]]) -> Response:
        if request.method in READING:
            return await answer(request)
        try:
            return await act_once(_limited(request, self.largest), answer)
        finally:
            if self.changes:
                forget_all()


class KnownRoute(GuardedRoute):
    """What whoever is logged in may have: the style of the page that refuses him."""

    right = None


class SeeRoute(GuardedRoute):
    """Figures without names."""

    right = Right.SEE


class ActRoute(GuardedRoute):
    """Names, letters and changes."""

    right = Right.ACT


class ReaderRoute(ActRoute):
    """All that is known of one reader."""

    in_turn = True


class AskRoute(ReaderRoute):
    """Questions that name a reader and so travel in the body of a request; they change nothing."""

    changes = False


class AdministerRoute(GuardedRoute):
    """The installation itself."""

    right = Right.ADMINISTER


@asynccontextmanager
async def _taken_in_turn() -> AsyncIterator[None]:
    """Wait for a turn; a ledger that does not answer makes nobody wait longer for the page that says so."""
    turns = _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))
    try:
        await asyncio.wait_for(turns.acquire(), PATIENCE_S)
    except TimeoutError:
        yield
        return
    try:
        yield
    finally:
        turns.release()


def _check_settings() -> None:
    """Refuse whatever is asked while the library's file is wrong: what a page would do by former settings is unsure."""
    try:
        settings()
    except SettingsError as error:
        log.error("%s", sentence(error))
        raise Refused(503, SETTINGS_WRONG) from None


def _refuse_foreign(request: Request) -> None:
    """Refuse a change that another site's page asks for in the name of whoever is logged in.

    A cookie travels with what any page of the same host posts, also from another port. Browsers say in `Sec-Fetch-Site`
    (W3C Fetch Metadata) whose page asks; to a plain-HTTP host they say it in `Origin` alone. A program that shows its
    token in `Authorization` is no browser that was led here, and need say neither. Nobody else may stay silent.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        ours = site in ("same-origin", "none")
    elif origin is not None:
        ours = origin.lower() in our_origins(request)
    else:
        ours = request.headers.get("authorization", "").lower().startswith("bearer ")
    if not ours:
        raise Refused(403, FOREIGN)


def _limited(request: Request, largest: int) -> Request:
    """The request, whose body may not be longer than `largest`: refused by its announced length, or while it comes."""
    announced = request.headers.get("content-length", "")
    if announced and not (announced.isascii() and announced.isdigit()):
        raise Refused(400, "La longueur annoncée n'est pas un nombre.")
    if announced and (len(announced) > 12 or int(announced) > largest):
        raise Refused(413, TOO_LARGE)
    came = 0

    async def receive() -> Message:
        nonlocal came
        message = await request.receive()
        came += len(message.get("body", b""))
        if came > largest:
            raise Refused(413, TOO_LARGE)
        return message

    return Request(request.scope, receive, request._send)
