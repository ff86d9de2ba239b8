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


def connection_to(server, database: str) -> str:
    """The ledger as an Airflow connection."""
    extra = {"host": str(server.socket_folder)}
    return json.dumps({"conn_type": "postgres", "login": "postgres", "schema": database, "extra": extra})


@contextmanager
def browsing(role: str = "biblio", **headers: str) -> Iterator[TestClient]:
    """A client of the application: `biblio` may all, `lecteur` only read, `` is not logged in."""
    from loan_reminders.web import access
    from loan_reminders.web.app import create_app

    app = create_app()

    def librarian() -> str:
        return role

    def may(change: bool):
        def check() -> None:
            if not role:
                raise HTTPException(401, "Not authenticated")
            if change and role == "lecteur":
                raise HTTPException(403, "Forbidden")

        return check

    app.dependency_overrides = {
        access.librarian: librarian,
        access.may_read: may(change=False),
        access.may_change: may(change=True),
    }
    with TestClient(app, headers=headers, follow_redirects=False) as client:
        yield client
