"""The pages and the door served in this process, on a real ledger; whoever asks is said by the test."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import HTTPException

with warnings.catch_warnings():
    # Airflow brings httpx, whose successor starlette's client would rather have.
    warnings.filterwarnings("ignore", message=".*httpx")
    from starlette.testclient import TestClient

TOKEN = "a-token-for-tests-of-callbacks"
DOOR = f"/rappels-sms/{TOKEN}"
RIGHTS = {"personne": (), "lecteur": ("see",), "admin": ("see", "act", "administer")}
"""What these may; `` is not logged in, and anybody else is a librarian."""


def connection_to(server, database: str) -> str:
    """The ledger as an Airflow connection."""
    extra = {"host": str(server.socket_folder)}
    return json.dumps({"conn_type": "postgres", "login": "postgres", "schema": database, "extra": extra})


class RoleGate:
    """Says that whoever asks has the name and the rights of a role."""

    def __init__(self, role: str) -> None:
        self.role = role

    async def person(self, request):
        from loan_reminders.web.access import Person, Right

        if not self.role:
            raise HTTPException(401, "Not authenticated")
        rights = RIGHTS.get(self.role, ("see", "act"))
        return Person(name=self.role, rights=frozenset(map(Right, rights)))


@contextmanager
def browsing(role: str = "biblio", **headers: str) -> Iterator[TestClient]:
    """A client of the application, as a browser on one of its own pages: a role of `RIGHTS`, or any librarian's name.

    Headers are named with `_` for `-`: `sec_fetch_site="cross-site"`.
    """
    from loan_reminders.web.app import create_app

    said = {"sec-fetch-site": "same-origin", **{name.replace("_", "-"): value for name, value in headers.items()}}
    with TestClient(create_app(RoleGate(role)), headers=said, follow_redirects=False) as client:
        yield client
