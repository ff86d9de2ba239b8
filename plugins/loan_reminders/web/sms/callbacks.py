"""The SMS provider's door: the only one that needs no login, behind a path that nobody can guess.

It answers `OK` to what is kept, to what says nothing (the provider tries the address) and to nothing else: 404 for
another path or network, 413 above 16 kB, 429 for a flood, 503 when the ledger cannot keep it, so that the provider says
it again. What is said never reaches a log: neither our own nor, by the path and the query, the web server's (`Shield`).
Whoever calls is not known, so little is believed: a STOP only of a number that may be a mobile, a receipt only with
both the SMS and its number, a date only when it is past.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from starlette.requests import ClientDisconnect

from loan_reminders.domain.sms.feedback import SmsAck, SmsReply
from loan_reminders.hooks.sms_callback import callback_limits, callback_networks, callback_token, read_callback
from loan_reminders.services.sms.feedback import settle_feedback, tell_put_aside
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access as books
from loan_reminders.web.sms.flood import TokenBucket
from loan_reminders.web.sms.inbox import Callback, Inbox

LARGEST_BODY = 16 * 1024
MOST_FIELDS = 50
log = logging.getLogger(__name__)


class Door:
    """The callbacks of one process: its limit, and the way to the ledger."""

    def __init__(self) -> None:
        limits = callback_limits()
        self.networks = callback_networks()
        self.flood = TokenBucket(per_second=limits.per_second, burst=limits.burst)
        self.inbox = Inbox(keep=_keep, settle=_settle)

    def close(self) -> None:
        """Keep and settle what waits."""
        self.inbox.close()

    def _knows(self, request: Request) -> bool:
        """Whether the provider may call from where this call came; without a list, from anywhere."""
        if not self.networks:
            return True
        try:
            host = ip_address(request.client.host if request.client else "")
        except ValueError:
            return False
        host = getattr(host, "ipv4_mapped", None) or host
        return any(host in network for network in self.networks)

    async def answer(self, request: Request, token: str) -> PlainTextResponse:
        """What the provider is told."""
        query = request.scope.get("query_string", b"")
        ours = callback_token()
        guessed = ours is not None and hmac.compare_digest(token.encode("utf-8", "replace"), ours.encode())
        if not guessed or not self._knows(request):
            return PlainTextResponse("Not Found", 404)
        if request.method not in ("GET", "POST"):
            return PlainTextResponse("Method Not Allowed", 405, headers={"Allow": "GET, POST"})
        if not self.flood.take():
            return PlainTextResponse("Too Many Requests", 429, headers={"Retry-After": "10"})
        try:
            body = await _body(request) if len(query) <= LARGEST_BODY else None
        except ClientDisconnect:
            return PlainTextResponse("Bad Request", 400)
        if body is None:
            return PlainTextResponse("Content Too Large", 413)
        try:
            fields = _fields(query) | _fields(body)
        except ValueError:
            return PlainTextResponse("Bad Request", 400)
        callback = read_callback(fields, now=datetime.now(UTC))
        if callback is not None:
            try:
                await asyncio.wrap_future(self.inbox.put(callback))
            except Exception as error:
                # Whatever it is, it is not kept: the provider must say it again.
                log.warning("Rappel du prestataire SMS non gardé (%s)", type(error).__name__)
                return PlainTextResponse("Service Unavailable", 503, headers={"Retry-After": "60"})
        return PlainTextResponse("OK")


def callbacks(door: Door) -> APIRouter:
    """The route of the door, which takes every method; GET and POST say the same."""

    async def callback(request: Request) -> PlainTextResponse:
        return await door.answer(request, request.path_params["token"])

    router = APIRouter()
    router.add_route("/rappels-sms/{token:path}", callback, methods=[], include_in_schema=False)
    return router


async def _body(request: Request) -> bytes | None:
    """The body, or None as soon as it is too large."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)


def _fields(form: bytes) -> dict[str, str]:
    text = form.decode("utf-8", errors="replace")
    return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace"))


def _keep(came: Sequence[Callback]) -> None:
    feedback = books.feedback()
    if acks := [one for one in came if isinstance(one, SmsAck)]:
        feedback.keep_acks(acks)
    if replies := [one for one in came if isinstance(one, SmsReply)]:
        feedback.keep_replies(replies)
    tell_put_aside(feedback)


def _settle() -> None:
    settle_feedback(books.feedback(), failures=settings().sms.dead_after_failures)
