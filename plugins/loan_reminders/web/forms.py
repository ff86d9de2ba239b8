"""Forms that are safe to send twice: each carries a key, and a key is acted upon once.

A double click, a page that is loaded again after a lost connection, the button « back »: all send the same form again.
Every form that changes something holds the field `cle` (the macro `once` of `pages/parts.html.j2`). The ledger keeps
the key with where its answer led, and what it said; the same form sent again is led there, is told the same, and
nothing is done a second time. A form that was refused, or whose answer is a file, may be sent again.

What a form did is said once, on the page to which it leads: a cookie for that page alone carries the words.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from hmac import compare_digest, digest
from urllib.parse import quote, unquote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from loan_reminders.domain.errors import ReminderError
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Person, Refused, secret_of

KEY = "cle"
SAID = "relances_fait"
"""The cookie that tells the page to which a form leads what the form did."""

SAID_FOR_S = 60
"""Seconds after which words that no page has said are forgotten."""

IN_HAND = "Cette demande est déjà en cours : attendre un instant, puis recharger la page pour voir ce qu'elle a donné."
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

Answer = Callable[[Request], Awaitable[Response]]


async def act_once(request: Request, answer: Answer) -> Response:
    """What `answer` makes of a form, or, when its key is known, where it led before. Raises Refused (409, 400)."""
    key = await _key(request)
    if key is None:
        return await answer(request)
    person: Person = request.state.person
    what = request.method + request.url.path
    try:
        keys = await run_in_threadpool(ledger_access.form_keys)
        taken = await run_in_threadpool(keys.take, key, who=person.name, what=what)
    except ReminderError:
        # The ledger does not answer: the page of the form says so itself.
        return await answer(request)
    if not taken.first:
        if taken.led_to:
            where, _, said = taken.led_to.partition("\n")
            return RedirectResponse(where, 303, {"set-cookie": said} if said else None)
        raise Refused(409, IN_HAND)
    led_to = ""
    try:
        response = await answer(request)
        if response.status_code == 303:
            led_to = "\n".join(filter(None, map(response.headers.get, ("location", "set-cookie"))))
        return response
    finally:
        await run_in_threadpool(keys.done, key, led_to=led_to)


async def _key(request: Request) -> uuid.UUID | None:
    if not request.headers.get("content-type", "").startswith(_FORMS):
        return None
    typed = (await request.form()).get(KEY)
    if typed is None:
        return None
    try:
        return uuid.UUID(str(typed))
    except ValueError:
        raise Refused(400, "La clé de ce formulaire n'en est pas une : recharger la page.") from None


def said_by_a_form(request: Request, here: str) -> str:
    """What a form did that led to the page at the path `here`, in words; "" when none did."""
    seal, _, kept = request.cookies.get(SAID, "").partition(".")
    words = unquote(kept)
    ours = compare_digest(seal.encode(), _seal(request, here, words).encode())
    return words if ours and request.method == "GET" else ""


def say_once(request: Request, answer: Response, there: str, words: str) -> None:
    """Let the page at the path `there`, to which an answer leads, say these words; they hold no reader's data."""
    kept, secure = f"{_seal(request, there, words)}.{quote(words, safe='')}", request.url.scheme == "https"
    answer.set_cookie(SAID, kept, SAID_FOR_S, path=there, httponly=True, samesite="strict", secure=secure)


def forget_said(answer: Response, here: str) -> None:
    """The page at this path has said it."""
    answer.delete_cookie(SAID, path=here)


def _seal(request: Request, path: str, words: str) -> str:
    """What only this server can put on words for a page and a person: other sites of this host set cookies, too."""
    return digest(secret_of(request).encode(), f"{path}\n{words}".encode(), "sha256").hex()
