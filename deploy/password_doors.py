"""The addresses below `/auth` that take a name and a password, besides the log-in form.

FAB 3.10 counts the tries at its form alone. Whoever guesses would take these, which any program may ask and which stay
open where people log in by single sign-on.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from fastapi.responses import JSONResponse
from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

DOORS = ("/token", "/token/cli", "/api/v1/security/login")
"""Airflow's tokens for programs and for `airflowctl`, and the API of Flask-AppBuilder."""
TOO_OFTEN = "Trop d'essais de connexion depuis cette adresse : réessayer dans {seconds} secondes."

Refuse = Callable[[str], JSONResponse | None]
"""Told from which address somebody knocks; the answer that turns them away, or nothing when they may try."""


class PasswordDoors:
    """Stands before Airflow's application of log-ins, and asks at its doors whether somebody may try a password."""

    def __init__(self, app: ASGIApp, *, refuse: Refuse) -> None:
        self.app, self.refuse = app, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or turn it away before anything of its body is read."""
        knocks = scope["type"] == "http" and scope["method"] == "POST" and scope["path"].endswith(DOORS)
        # The web server believes a proxy's word about who asks, and nobody else's (FORWARDED_ALLOW_IPS).
        turned_away = self.refuse((scope.get("client") or ("",))[0]) if knocks else None
        await (turned_away or self.app)(scope, receive, send)


class TooOften:
    """Turns away an address that tried more often than the limit allows, right or wrong, as FAB does at its form."""

    def __init__(self, limit: RateLimitItem) -> None:
        self.limit, self.limiter = limit, FixedWindowRateLimiter(MemoryStorage())

    def __call__(self, address: str) -> JSONResponse | None:
        """Count a try; the answer is 429 and says after how many seconds to come back."""
        if self.limiter.hit(self.limit, address):
            return None
        left = self.limiter.get_window_stats(self.limit, address).reset_time - time.time()
        seconds = max(1, round(left))
        words = TOO_OFTEN.format(seconds=seconds)
        return JSONResponse({"detail": words}, status_code=429, headers={"Retry-After": str(seconds)})
