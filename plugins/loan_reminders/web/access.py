"""Who may open which page: three rights, asked of Airflow, so that they are given where all others are.

SEE         figures without names    reading the DAG `registered_letter`
ACT         names, letters, changes  changing it
ADMINISTER  the installation         changing the connection `reminders_ledger`

Where there are several libraries, the DAG is that of the library (`registered_letter__montclar`), and whoever
administers sees its pages only when he may read that DAG, too.

`docs/rights.md` says which roles have them by SimpleAuthManager, FAB and Keycloak. Each route has one of the rights
(`guard.GuardedRoute`), asked for before the body of a request is read. These are internal modules of Airflow
3.3 (`airflow.api_fastapi`); nothing else in this room imports Airflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Protocol
from urllib.parse import quote, urlsplit

from airflow.api_fastapi.app import API_ROOT_PATH, get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import ConnectionDetails
from airflow.api_fastapi.core_api.security import bearer_scheme, get_user, requires_access_dag
from airflow.configuration import conf
from fastapi import Depends, HTTPException, Request
from httpx import ASGITransport, AsyncBaseTransport
from starlette.concurrency import run_in_threadpool

from loan_reminders.settings.libraries import of_library, several
from loan_reminders.settings.library_toml import our_dag_id

STAGE = "registered_letter"
"""The DAG whose permissions give SEE and ACT: who may change the dearest stage may do a librarian's work."""

CONNECTION = "reminders_ledger"
"""The connection whose permissions give ADMINISTER."""

SPOILT_TOKEN = "Invalid JWT token"  # noqa: S105 - what Airflow says of a token it cannot read


SETTINGS_WRONG = (
    "Les réglages de cette bibliothèque ne peuvent pas être lus : l'administrateur en trouve la raison parmi les"
    " erreurs d'import des DAG, dans Airflow."
)
"""What every page of a library says while its file is wrong."""


class Right(StrEnum):
    """What a route asks of whoever opens it."""

    SEE = "see"
    ACT = "act"
    ADMINISTER = "administer"


class Refused(HTTPException):
    """A request that is refused in words of our own, which the page repeats; any other's words stay unsaid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whoever asks: the name that is recorded with a change, and what Airflow lets them do."""

    name: str
    rights: frozenset[Right]


def secret_of(request: Request) -> str:
    """What only this server knows of whoever asks, whenever he logged in; "" for a stranger."""
    person: Person | None = getattr(request.state, "person", None)
    return "" if person is None else f"{conf.get('api', 'secret_key', fallback='')}\n{person.name}"


class Authenticator(Protocol):
    """Says who asks."""

    async def person(self, request: Request) -> Person:
        """Who asks and what they may do. Raises HTTPException 401 without a session, 403 with a spoilt one."""
        ...

    async def libraries(self, request: Request, among: Sequence[str]) -> tuple[str, ...]:
        """The codes, among these, of the libraries that they may see or work for. Raises as `person` does."""
        ...


class AirflowAuthenticator:
    """Airflow's own log-in and permissions."""

    async def person(self, request: Request) -> Person:
        """Who asks, by bearer token or session. The permissions may ask a server, so a thread waits for them."""
        user = await get_user(request, None, await bearer_scheme(request))
        rights = await run_in_threadpool(_rights, request, user)
        return Person(name=str(user.get_name()), rights=rights)

    async def libraries(self, request: Request, among: Sequence[str]) -> tuple[str, ...]:
        """The libraries whose DAG they may read or edit, by one look at the session."""
        user = await get_user(request, None, await bearer_scheme(request))
        return await run_in_threadpool(_libraries, request, user, among)


def _libraries(request: Request, user: Any, among: Sequence[str]) -> tuple[str, ...]:
    def may(code: str) -> bool:
        with of_library(code):
            return _may_on_stage(request, user, "GET") or _may_on_stage(request, user, "PUT")

    return tuple(code for code in among if may(code))


def _rights(request: Request, user: Any) -> frozenset[Right]:
    of_connection = ConnectionDetails(conn_id=CONNECTION)
    sees = _may_on_stage(request, user, "GET")
    edits = get_auth_manager().is_authorized_connection(method="PUT", details=of_connection, user=user)
    asked = {
        Right.SEE: sees,
        Right.ACT: _may_on_stage(request, user, "PUT"),
        Right.ADMINISTER: edits and (sees or not several()),
    }
    return frozenset(right for right, given in asked.items() if given)


def _may_on_stage(request: Request, user: Any, method: Literal["GET", "PUT"]) -> bool:
    try:
        requires_access_dag(method=method, param_dag_id=our_dag_id(STAGE))(request, user)
    except HTTPException:
        return False
    return True


async def admit(request: Request, right: Right | None) -> Person:
    """Let whoever asks in, or raise HTTPException: 401 without a session, 403 without the right.

    Without a `right` whoever has a session is let in.
    """
    authenticator: Authenticator = request.app.state.authenticator
    person = await authenticator.person(request)
    request.state.person = person
    if right is not None and right not in person.rights:
        raise HTTPException(403, "Forbidden")
    return person


async def librarian(request: Request) -> str:
    """The name that is recorded with a change."""
    person: Person = request.state.person
    return person.name


Librarian = Annotated[str, Depends(librarian)]


def our_origins(request: Request) -> frozenset[str]:
    """The origins of our own pages: that of Airflow's `[api] base_url`, which a proxy shows, and the one asked for."""
    configured = urlsplit(conf.get("api", "base_url", fallback=""))
    origins = {f"{request.url.scheme}://{request.url.netloc}"}
    if configured.scheme and configured.netloc:
        origins.add(f"{configured.scheme}://{configured.netloc}")
    return frozenset(origin.lower() for origin in origins)


def login_address(request: Request, *, back: str = "") -> str:
    """Where a browser logs in, to come back to the page or to `back`; what was asked of it is not in that address."""
    back = back or str(request.url.replace(query=""))
    return airflow_link(f"api/v2/auth/login?next={quote(back, safe='')}")


def airflow_link(path: str) -> str:
    """The address of one of Airflow's own pages (`dags/watch`), behind the base path that Airflow is set to."""
    return f"{API_ROOT_PATH}{path}"


def airflow_application(request: Request) -> tuple[AsyncBaseTransport, str]:
    """The way to the application that serves Airflow's API, and the path before `api/v2`.

    Tests put another transport in `app.state.airflow`.
    """
    given: AsyncBaseTransport | None = getattr(request.app.state, "airflow", None)
    if given is not None:
        return given, "/"
    from airflow.api_fastapi.main import app

    return ASGITransport(app=app, raise_app_exceptions=False), API_ROOT_PATH
