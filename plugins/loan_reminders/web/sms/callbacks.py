"""The address that the SMS provider calls: the only one that needs no login, behind a path that nobody can guess.

Each call is kept by one short transaction before it is answered, and settled afterwards. The answer is `OK` to what is
kept and to what says nothing (the provider tries the address), and to nothing else: 404 for another path or network,
413 above 16 kB, 503 when the ledger cannot keep it in time or too many calls wait, so that the provider says it again.
What is said never reaches a log: neither our own nor, by the path and the query, the web server's (`middleware`).
Whoever calls is not known, so little is believed: a STOP only of a number that may be a mobile, a receipt only with
both the SMS and its number, a date only when it is past.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from datetime import UTC, datetime
from ipaddress import ip_address
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from loan_reminders.domain.sms.feedback import SmsAck, SmsReply
from loan_reminders.hooks.ledger import shared_account, sms_feedback_of
from loan_reminders.hooks.sms_callback import callback_networks, callback_token, read_callback
from loan_reminders.services.sms.feedback import keep_receipts, keep_replies, settle_feedback, tell_put_aside
from loan_reminders.settings.all_libraries import others_unread, others_with
from loan_reminders.settings.libraries import current_library
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access

LARGEST_BODY = 16 * 1024
MOST_FIELDS = 50
AT_ONCE = 2
"""Calls that are being kept at the same time; the other connections to the ledger are left to the pages."""
MOST_WAITING = 200
"""Calls that wait for their turn, in one process of the web server; one more is refused at once."""
SECONDS_TO_KEEP = 10.0
"""How long a call may take to be kept, its turn included, before the provider is asked to say it again."""
SECONDS_BETWEEN = 1.0
"""Between two settlings while calls go on coming in: many are settled together."""

log = logging.getLogger(__name__)


class _Settling:
    """Whether somebody settles what a library was told, and whether more came meanwhile."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.again = False


class Callbacks:
    """What the provider says to one process of the web server.

    Raises SettingsError for a network that is none, or a file of the token that cannot be read.
    """

    def __init__(self) -> None:
        callback_token()
        self._networks = callback_networks()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._unfinished: set[asyncio.Task[None]] = set()
        self._of_library: dict[str | None, _Settling] = {}

    async def answer(self, request: Request) -> PlainTextResponse:
        """What the provider is told."""
        query = request.scope.get("query_string", b"")
        token = str(request.path_params["token"])
        ours = callback_token()
        guessed = ours is not None and hmac.compare_digest(token.encode("utf-8", "replace"), ours.encode())
        if not guessed or not self._may_call(request):
            return PlainTextResponse("Not Found", 404)
        if request.method not in ("GET", "POST"):
            return PlainTextResponse("Method Not Allowed", 405, headers={"Allow": "GET, POST"})
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
        if callback is None:
            return PlainTextResponse("OK")
        if not await self._kept(callback):
            return PlainTextResponse("Service Unavailable", 503, headers={"Retry-After": "60"})
        return PlainTextResponse("OK", background=BackgroundTask(self._settle))

    def _may_call(self, request: Request) -> bool:
        """Whether the provider may call from where this call came; without a list, from anywhere."""
        if not self._networks:
            return True
        try:
            host = ip_address(request.client.host if request.client else "")
        except ValueError:
            return False
        host = getattr(host, "ipv4_mapped", None) or host
        return any(host in network for network in self._networks)

    async def _kept(self, callback: SmsAck | SmsReply) -> bool:
        """Whether the ledger kept a call in time. What is kept later does no harm: the same again changes nothing."""
        if len(self._unfinished) >= AT_ONCE + MOST_WAITING:
            log.warning("Trop de rappels du prestataire SMS attendent : il devra redire celui-ci")
            return False
        keeping = asyncio.create_task(self._keep(callback))
        self._unfinished.add(keeping)
        keeping.add_done_callback(self._finished)
        # A thread that waits for the ledger cannot be stopped: it holds its turn until it ends.
        done, _ = await asyncio.wait([keeping], timeout=SECONDS_TO_KEEP)
        return bool(done) and keeping.exception() is None

    async def _keep(self, callback: SmsAck | SmsReply) -> None:
        async with self._turns:
            await run_in_threadpool(_keep, callback)

    def _finished(self, keeping: asyncio.Task[None]) -> None:
        self._unfinished.discard(keeping)
        error = None if keeping.cancelled() else keeping.exception()
        if error is not None:
            log.warning("Rappel du prestataire SMS non gardé (%s)", type(error).__name__)

    async def _settle(self) -> None:
        """Settle what the library was told. While one request does, others leave it to that one, which looks again.

        What stays unsettled, because the ledger fell silent or the process ended, waits for the DAG `sms_feedback`.
        """
        ours = self._of_library.setdefault(current_library(), _Settling())
        ours.again = True
        if ours.lock.locked():
            return
        async with ours.lock:
            while ours.again:
                ours.again = False
                try:
                    await run_in_threadpool(_settle)
                except Exception as error:
                    log.warning("Rappels du prestataire SMS gardés, pas encore traités (%s)", type(error).__name__)
                if ours.again:
                    await asyncio.sleep(SECONDS_BETWEEN)


def callbacks_router() -> APIRouter:
    """The address, which takes every method; GET and POST say the same. Raises SettingsError."""
    router = APIRouter()
    router.add_route("/rappels-sms/{token:path}", Callbacks().answer, methods=[], include_in_schema=False)
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


def _keep(callback: SmsAck | SmsReply) -> None:
    feedback, whole = ledger_access.sms_feedback(), ledger_access.whole()
    others = [one.library.code for one in others_with(lambda one: one.sms.connection)]
    unread = others_unread()
    if isinstance(callback, SmsAck):
        keep_receipts(feedback, shared_account(whole, (*others, *unread)), [callback])
    else:
        keep_replies(feedback, sms_feedback_of(whole, others), [callback], unread=sms_feedback_of(whole, unread))
    tell_put_aside(feedback)


def _settle() -> None:
    settle_feedback(ledger_access.sms_feedback(), failures=settings().sms.dead_after_failures)
