"""What a stolen backup tells: of readers what the ledger is for, of servers nothing."""

from __future__ import annotations

import re

from loan_reminders.domain.stages import Stage
from tests.e2e.conftest import run
from tests.e2e.fab_airflow import PASSWORD

TABLES = (
    "SELECT format('SELECT row_to_json(t)::text FROM %s t', oid::regclass) FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)


def everything(server, database: str) -> str:
    """All rows of all tables, as text."""
    statements = [statement for (statement,) in server.execute(TABLES, database=database)]
    return "\n".join(row for statement in statements for (row,) in server.execute(statement, database=database))


def test_the_ledger_holds_no_secret_of_any_server(installation):
    """Of an installation in which a run was planned at least; other tests of it send by every channel."""
    run(installation, Stage.FIRST_REMINDER, dry_run=True)
    copy = everything(installation.postgres, "ledger")
    assert "montclar" in copy, "there is something in it"
    secrets = {installation.ils_password, installation.sms_key, installation.callback_token}
    assert {secret for secret in secrets if secret in copy} == set()


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
