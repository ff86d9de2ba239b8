"""What a stolen backup of Airflow's own database tells of servers and accounts: no password."""

from __future__ import annotations

import re

from tests.e2e.fab_airflow import PASSWORD
from tests.security.copies import everything


def test_airflows_database_holds_no_password_that_can_be_read(fab):
    body = {"connection_id": "essai", "conn_type": "smtp", "host": "mail.example", "login": "relances",
            "password": "a-password-of-a-connection", "extra": '{"key": "a-key-of-a-connection"}'}  # fmt: skip
    assert fab.asked("POST", "/api/v2/connections", "admin", json=body).status_code == 201
    copy = everything(fab.postgres, fab.database)
    assert "mail.example" in copy
    assert re.search(r'"password":"scrypt:', copy), "of accounts only what cannot be turned back"
    secrets = {
        PASSWORD, "a-password-of-a-connection", "a-key-of-a-connection", fab.provider.client_secret,
        *(value for name, value in fab.env.items() if name.endswith(("FERNET_KEY", "SECRET_KEY", "JWT_SECRET"))),
    }  # fmt: skip
    assert {secret for secret in secrets if secret in copy} == set()
