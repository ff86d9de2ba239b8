"""What holds for every answer, whichever page gives it: security headers, and what the access log may know."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loan_reminders.hooks.sms_callback import callback_tokens

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'self'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}
"""No script and no style but our own files, no frame but Airflow's (OWASP Secure Headers Project; W3C CSP 3)."""

FRAMED = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'self'; sandbox"
    )
}
"""For a message to readers shown in a frame of ours: its own styles, which stand in its tags, and nothing that runs,
loads or leads anywhere. A route that gives such a document sets this header itself."""

SECRET = "rappels-sms"  # noqa: S105 - the part of the path after which the secret stands


class SecurityHeaders:
    """Sets the headers of every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back with the headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                own = headers.get("Content-Security-Policy")
                headers.update(HEADERS)
                if own == FRAMED["Content-Security-Policy"]:
                    headers.update(FRAMED)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class AccessLogWithoutSecrets:
    """Shows the web server's access log neither a query nor the secret path that the SMS provider calls.

    The log is written from the server's own description of the request (its scope); the pages get a copy of it, and
    the server's loses its query, and its path where the secret is in it, whatever becomes of the request: a wrong
    method, a body cut short, an error.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a copy of a request on, and cut what the server keeps of it."""
        inside = dict(scope)
        if scope["type"] == "http":
            scope["query_string"] = b""
            path = scope["path"]
            if SECRET in path.casefold() or any(token in path for token in callback_tokens()):
                scope["path"] = f"{scope.get('root_path', '')}/{SECRET}"
                scope["raw_path"] = scope["path"].encode()
        await self._app(inside, receive, send)
