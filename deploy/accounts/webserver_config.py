"""Accounts with a name and a password, kept in Airflow's database: for `[fab] config_file`.

`loan-reminders roles` makes the roles; *Security*, *List Users* in Airflow gives them to people.
"""

from __future__ import annotations

from flask import current_app
from flask_appbuilder.const import AUTH_DB

from deploy.login import lead_back

AUTH_TYPE = AUTH_DB
WTF_CSRF_ENABLED = True
AUTH_RATE_LIMITED = True
AUTH_RATE_LIMIT = "10 per 60 second"
FAB_PASSWORD_COMPLEXITY_ENABLED = True  # ten characters, capitals, small letters, digits and signs
BABEL_DEFAULT_LOCALE = "fr"
LANGUAGES = {"fr": {"flag": "fr", "name": "Français"}}

current_app.after_request(lead_back)
