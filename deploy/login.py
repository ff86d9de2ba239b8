"""After a log-in by FAB's pages: the way back to where somebody wanted to go, with Airflow's own token.

FAB's log-in leaves a session cookie and leads to the page that was asked for. Airflow's API, and with it the pages of
Relances, ask for another cookie (`_token`), which FAB 3.10 gives at its own first page alone: whoever followed a link
to Relances would end on Airflow's home page. A `webserver_config.py` adds `lead_back` to the Flask application.
"""

from __future__ import annotations

from airflow.api_fastapi.app import get_auth_manager, get_cookie_path
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.configuration import conf
from airflow.providers.fab.www.views import get_token_expiration_seconds
from flask import Response, request
from flask_appbuilder.utils.base import get_safe_redirect
from flask_login import current_user

LOG_INS = ("login", "oauth_authorized")
"""The functions of FAB's views that log somebody in."""


def lead_back(response: Response) -> Response:
    """Give the token with the redirect that ends a log-in, and lead to `next` also who was logged in already."""
    of = (request.endpoint or "").rsplit(".", 1)[-1]
    if of not in LOG_INS or response.status_code not in (302, 303) or not current_user.is_authenticated:
        return response
    wanted = request.args.get("next", "")
    if of == "login" and wanted:
        response.location = get_safe_redirect(wanted)
    token = get_auth_manager().generate_jwt(current_user, expiration_time_in_seconds=get_token_expiration_seconds())
    response.set_cookie(
        COOKIE_NAME_JWT_TOKEN,
        token,
        path=get_cookie_path(),
        secure=request.scheme == "https" or bool(conf.get("api", "ssl_cert", fallback="")),
        httponly=True,
        samesite="Lax",
    )
    return response
