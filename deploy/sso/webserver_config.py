"""Single sign-on by OpenID Connect, for `[fab] config_file`; the environment says at which provider.

OIDC_ISSUER               the provider's address; it publishes `<issuer>/.well-known/openid-configuration`
OIDC_CLIENT_ID            what the provider calls this Airflow
OIDC_CLIENT_SECRET_FILE   the file that holds its secret
OIDC_ROLES                JSON: which roles a group gives, e.g. {"bu-pret": ["Relances bibliothécaire"]}
OIDC_GROUPS_CLAIM         where the groups are told, `groups` unless set; `realm_access.roles` is a path
OIDC_USERNAME_CLAIM       what names a person in the journal, `preferred_username` unless set
OIDC_SCOPES               `openid profile email` unless set

The provider must know `<base_url>/auth/oauth-authorized/etablissement` as where it may send people back to, and
`<base_url>/auth/login/` as where they go after logging out. `[core] auth_manager` is `deploy.sso.login.SsoAuthManager`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from flask import current_app
from flask_appbuilder.const import AUTH_OAUTH

from deploy.login import lead_back
from deploy.sso.login import PROVIDER, SsoSecurityManager

AUTH_TYPE = AUTH_OAUTH
SECURITY_MANAGER_CLASS = SsoSecurityManager
WTF_CSRF_ENABLED = True
BABEL_DEFAULT_LOCALE = "fr"
LANGUAGES = {"fr": {"flag": "fr", "name": "Français"}}

AUTH_USER_REGISTRATION = True  # whoever a group gives a role has an account at the first log-in
AUTH_USER_REGISTRATION_ROLE = "Public"  # which may do nothing; the groups' roles come on top
AUTH_ROLES_SYNC_AT_LOGIN = True  # roles are those of the groups of today, also when they become fewer
AUTH_ROLES_MAPPING = json.loads(os.environ["OIDC_ROLES"])

OAUTH_PROVIDERS = [
    {
        "name": PROVIDER,
        "icon": "fa-university",
        "token_key": "access_token",
        "remote_app": {
            "client_id": os.environ["OIDC_CLIENT_ID"],
            "client_secret": Path(os.environ["OIDC_CLIENT_SECRET_FILE"]).read_text(encoding="utf-8").strip(),
            "server_metadata_url": f"{os.environ['OIDC_ISSUER'].rstrip('/')}/.well-known/openid-configuration",
            "client_kwargs": {
                "scope": os.environ.get("OIDC_SCOPES", "openid profile email"),
                "code_challenge_method": "S256",
                "timeout": 10,
            },
        },
    }
]

current_app.after_request(lead_back)
