"""The log-in by an OpenID Connect provider: what FAB and Authlib leave open, and refusals in sentences.

Authlib checks an ID token's signature, issuer, times and nonce. Here, besides: that the token is for us (OpenID
Connect Core 1.0, 3.1.3.7; Authlib lets another audience pass when `azp` is ours), that the userinfo answer is about the
same person (5.3.2), that a group of today gives a role, and that an account of the same name is the same person's.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import jwt
from airflow.api_fastapi.app import AUTH_MANAGER_FASTAPI_APP_PREFIX, get_cookie_path
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager
from airflow.providers.fab.auth_manager.models import User
from airflow.providers.fab.auth_manager.security_manager.override import FabAirflowSecurityManagerOverride
from airflow.providers.fab.auth_manager.views.auth_oauth import CustomAuthOAuthView
from authlib.integrations.base_client import MismatchingStateError, OAuthError
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from flask import flash, redirect, request, session
from flask_appbuilder import expose
from flask_appbuilder.utils.base import get_safe_redirect
from flask_login import login_user, logout_user
from joserfc.errors import ExpiredTokenError, JoseError
from requests import RequestException

from deploy.password_doors import PasswordDoors
from deploy.sso.sentences import (
    CLOSED,
    NAMELESS,
    NO_GROUP,
    NOT_GRANTED,
    NOT_THIS_WAY,
    NOT_VALID,
    OTHER_ACCOUNT,
    SILENT,
    STALE,
    TOO_OLD,
)

PROVIDER = "etablissement"
"""The name of the provider in addresses and on the log-in page."""
ID_TOKEN = "oidc_id_token"  # noqa: S105 - where the session keeps it

log = logging.getLogger(__name__)


class Refused(Exception):
    """A log-in that is refused; its words are shown to the person and name nobody."""


class SsoView(CustomAuthOAuthView):
    """The log-in page, the way back from the provider, and the log-out."""

    @expose("/login/")
    @expose("/login/<provider>")
    def login(self, provider: str | None = None) -> Any:
        """Send whoever wants a page straight to the provider; show its button after a refusal or a log-out."""
        if provider is None and request.args.get("next"):
            provider = PROVIDER
        return super().login(provider)

    @expose("/oauth-authorized/<provider>")
    def oauth_authorized(self, provider: str) -> Any:
        """Let in whom the provider vouches for, or say why not."""
        try:
            user, wanted = self._vouched_for(provider)
        except Refused as refused:
            log.warning("Connexion refusée : %s", refused)
            flash(str(refused), "warning")
            return redirect(self.appbuilder.get_url_for_login)
        login_user(user, remember=False)
        session.modified = True
        return redirect(get_safe_redirect(wanted) if wanted else self.appbuilder.get_url_for_index)

    def _vouched_for(self, provider: str) -> tuple[User, str]:
        manager = self.appbuilder.sm
        if provider not in manager.oauth_remotes:
            raise Refused(NOT_VALID)
        try:
            answer = manager.oauth_remotes[provider].authorize_access_token()
            manager.set_oauth_session(provider, answer)
            userinfo = manager.get_oauth_user_info(provider, answer)
            state = jwt.decode(request.args["state"], session["oauth_state"], algorithms=["HS256"])
        except Refused:
            raise
        except Exception as error:
            log.warning("Connexion par %s : %s", provider, type(error).__name__)
            raise Refused(_why(error)) from None
        user = manager.auth_user_oauth(userinfo)
        session[ID_TOKEN] = answer["id_token"]
        return user, next(iter(state.get("next", [])), "")

    @expose("/logout/")
    def logout(self) -> Any:
        """End the session here, then the provider's, where it offers to."""
        hint, remote = session.get(ID_TOKEN), self.appbuilder.sm.oauth_remotes[PROVIDER]
        logout_user()
        session.clear()
        back = self.appbuilder.get_url_for_login
        try:
            response = remote.logout_redirect(back, id_token_hint=hint, client_id=remote.client_id)
        except Exception as error:
            log.warning("Déconnexion de %s impossible : %s", PROVIDER, type(error).__name__)
            response = redirect(back)
        response.delete_cookie(COOKIE_NAME_JWT_TOKEN, path=get_cookie_path(), httponly=True)
        return response


class SsoSecurityManager(FabAirflowSecurityManagerOverride):
    """FAB's accounts, whose people and roles are the provider's."""

    authoauthview = SsoView

    def get_oauth_user_info(self, provider: str, resp: dict[str, Any]) -> dict[str, Any]:
        """Who the provider says it is. Raises Refused."""
        remote = self.oauth_remotes[provider]
        claims = resp.get("userinfo")  # of the ID token, which Authlib has checked
        if not claims or not _for_us(claims, remote.client_id):
            raise Refused(NOT_VALID)
        told = dict(claims)
        if remote.load_server_metadata().get("userinfo_endpoint"):
            more = remote.userinfo(token=resp)
            if more.get("sub") != claims["sub"]:
                raise Refused(NOT_VALID)
            told |= more
        username = told.get(os.environ.get("OIDC_USERNAME_CLAIM", "preferred_username"))
        if not isinstance(username, str) or not username.strip():
            raise Refused(NAMELESS)
        email = told.get("email") if told.get("email_verified") is not False else None
        return {
            "username": username.strip(),
            "email": email or f"{username.strip()}@email.notfound",
            "first_name": told.get("given_name", ""),
            "last_name": told.get("family_name", ""),
            "role_keys": _groups(told, os.environ.get("OIDC_GROUPS_CLAIM", "groups")),
        }

    def auth_user_oauth(self, userinfo: dict[str, Any], rotate_session_id: bool = True) -> User:
        """The account of this person, with the roles of today's groups. Raises Refused."""
        known = self.find_user(username=userinfo["username"])
        if known and (known.email or "").casefold() != userinfo["email"].casefold():
            raise Refused(OTHER_ACCOUNT)
        if not self.get_roles_from_keys(userinfo["role_keys"]):
            if known:
                known.roles = []
                self.update_user(known)
            raise Refused(NO_GROUP)
        user = super().auth_user_oauth(userinfo, rotate_session_id)
        if user is None:
            raise Refused(CLOSED)
        return user


class SsoAuthManager(FabAuthManager):
    """FAB's, but nobody gets in by a password, and *Déconnexion* in Airflow ends the provider's session as well."""

    def get_fastapi_app(self) -> FastAPI | None:
        """FAB's application, whose addresses for a name and a password answer 403: FAB leaves them open."""
        app = super().get_fastapi_app()
        if app:
            app.add_middleware(PasswordDoors, refuse=_no_password)
        return app

    def get_url_logout(self) -> str:
        """FAB's own page: with the slash at its end it is Flask's, which is `SsoView.logout`."""
        return urljoin(self.apiserver_endpoint, f"{AUTH_MANAGER_FASTAPI_APP_PREFIX}/logout/")


def _no_password(_: str) -> JSONResponse:
    return JSONResponse({"detail": NOT_THIS_WAY}, status_code=403)


def _for_us(claims: Mapping[str, Any], client_id: str) -> bool:
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    return client_id in audience and claims.get("azp", client_id) == client_id


def _groups(claims: Mapping[str, Any], path: str) -> list[str]:
    """The groups at a path such as `realm_access.roles`; a single one may be told as a string."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
    listed = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return [group for group in listed if isinstance(group, str)]


def _why(error: Exception) -> str:
    if isinstance(error, MismatchingStateError | KeyError | jwt.InvalidTokenError):
        return STALE
    if isinstance(error, ExpiredTokenError):
        return TOO_OLD
    if isinstance(error, OAuthError):
        return NOT_GRANTED
    if isinstance(error, RequestException):
        return SILENT
    if isinstance(error, JoseError):
        return NOT_VALID
    return NOT_VALID
