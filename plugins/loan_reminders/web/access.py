"""Who may open these pages: a logged-in user of Airflow with permission on the DAG `sms_feedback`.

These are internal modules of Airflow 3.3 (`airflow.api_fastapi`); nothing else here imports Airflow.
"""

from __future__ import annotations

from urllib.parse import quote

from airflow.api_fastapi.app import API_ROOT_PATH
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import HTTPException, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

may_read = requires_access_dag(method="GET", param_dag_id="sms_feedback")
"""A dependency: 401 without login, 403 without permission to see the DAG."""

may_change = requires_access_dag(method="PUT", param_dag_id="sms_feedback")
"""A dependency: 401 without login, 403 without permission to change the DAG."""

_WORDS = {401: "Il faut se connecter à Airflow.", 403: "Vous n'avez pas la permission d'ouvrir cette page."}
_SPOILT_TOKEN = "Invalid JWT token"  # noqa: S105 - what Airflow says of a token it cannot read


def librarian(user: GetUserDep) -> str:
    """The name that is recorded with a change."""
    return str(user.get_name())


async def refused(request: Request, error: Exception) -> Response:
    """Send a browser without a valid session to Airflow's login, and say anything else in words."""
    if not isinstance(error, HTTPException):
        raise error
    no_session = error.status_code == 401 or (error.status_code == 403 and error.detail == _SPOILT_TOKEN)
    if no_session and request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(f"{API_ROOT_PATH}api/v2/auth/login?next={quote(str(request.url), safe='')}", 303)
    words = _WORDS.get(error.status_code, str(error.detail))
    return PlainTextResponse(words, error.status_code, headers=error.headers)
