"""The pages and the SMS provider's address served in this process, on a real ledger; the test says who asks."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from fastapi import HTTPException
from starlette.testclient import TestClient

from tests.scenes.sentences import as_typed

if TYPE_CHECKING:
    from fastapi import FastAPI

TOKEN = "a-token-for-tests-of-callbacks"
CALLBACKS = f"/rappels-sms/{TOKEN}"
CALLBACK_ROUTE = "/rappels-sms/{token:path}"
RIGHTS = {"personne": (), "lecteur": ("see",), "admin": ("see", "act", "administer")}
"""What these may; `` is not logged in, and anybody else is a librarian."""


def connection_to(server, database: str) -> str:
    """The ledger as an Airflow connection."""
    extra = {"host": str(server.socket_folder)}
    return json.dumps({"conn_type": "postgres", "login": "postgres", "schema": database, "extra": extra})


def said_once(answer: Any) -> str:
    """What the answer of a form gives the page that it leads to, to be said there once."""
    return unquote(answer.cookies.get("relances_fait", "").partition(".")[2])


class FixedRole:
    """An `Authenticator`: whoever asks has the name and the rights of one role."""

    def __init__(self, role: str) -> None:
        self.role = role

    async def person(self, request):
        from loan_reminders.web.access import Person, Right

        if not self.role:
            raise HTTPException(401, "Not authenticated")
        rights = RIGHTS.get(self.role, ("see", "act"))
        return Person(name=self.role, rights=frozenset(map(Right, rights)))


def routes():
    """All routes but the SMS provider's."""
    return [route for route in application().routes if getattr(route, "path", "") != CALLBACK_ROUTE]


def calls(route):
    """Each way to ask for a route, of things that nobody knows: method and path."""
    path = route.path.replace("{delivery_id}", str(uuid.UUID(int=1)))
    for name in ("batch_id", "volume", "suppression_id", "correction_id", "number", "run_id", "choice_id"):
        path = path.replace(f"{{{name}}}", "1")
    path = path.replace("{stage}", "overdue_notice").replace("{day}", "2000-01-01")
    return [(method, path) for method in route.methods]


@cache
def application() -> FastAPI:
    """The application, made once: its routes are the same for everybody."""
    from loan_reminders.web.app import create_app

    return create_app()


class Browser(TestClient):
    """Its pages' `text` has a plain space at : ; ! ? « », where the page has one that does not break: as one types."""

    def request(self, *arguments: Any, **more: Any) -> Any:
        """What the application answers."""
        answer = super().request(*arguments, **more)
        if answer.headers.get("content-type", "").startswith("text/html"):
            answer._text = as_typed(answer.text)
        return answer


@contextmanager
def browsing(role: str = "biblio", **headers: str) -> Iterator[TestClient]:
    """A client of the application, as a browser on one of its own pages: a role of `RIGHTS`, or any librarian's name.

    Headers are named with `_` for `-`: `sec_fetch_site="cross-site"`. One at a time: they share one application.
    """
    app = application()
    app.state.authenticator = FixedRole(role)
    said = {"sec-fetch-site": "same-origin", **{name.replace("_", "-"): value for name, value in headers.items()}}
    with Browser(app, headers=said, follow_redirects=False) as client:
        yield client
