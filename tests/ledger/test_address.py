"""Where the ledger is, in every way it may be written down."""

from __future__ import annotations

import json

import pytest

from loan_reminders.domain.errors import PermanentError
from loan_reminders.ledger.address import from_connection, from_environment, from_text

PLAIN = ("db.example", 5433, "reminders", "p@ss/word", "ledger", {})
SOCKET = (None, None, "postgres", None, "ledger", {"host": "/run/pg"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://reminders:p%40ss%2Fword@db.example:5433/ledger", PLAIN),
        ("postgres://reminders:p%40ss%2Fword@db.example:5433/ledger", PLAIN),
        ("postgresql+psycopg://reminders:p%40ss%2Fword@db.example:5433/ledger", PLAIN),
        ("postgresql+psycopg2://reminders:p%40ss%2Fword@db.example:5433/ledger", PLAIN),
        ("postgresql://postgres:@/ledger?host=/run/pg", SOCKET),
        ("postgresql://postgres:@%2Frun%2Fpg/ledger", SOCKET),
        ("postgresql://postgres@/ledger?host=%2Frun%2Fpg&cursor=dict", SOCKET),
        (
            "postgresql://u@h/d?sslmode=verify-full&application_name=x",
            ("h", None, "u", None, "d", {"sslmode": "verify-full"}),
        ),
        (
            json.dumps({
                "conn_type": "postgres", "host": "db.example", "port": "5433", "login": "reminders",
                "password": "p@ss/word", "schema": "ledger",
            }),
            PLAIN,
        ),
        (json.dumps({"login": "postgres", "schema": "ledger", "extra": {"host": "/run/pg"}}), SOCKET),
        (json.dumps({"login": "postgres", "schema": "ledger", "extra": '{"host": "/run/pg"}'}), SOCKET),
        (
            json.dumps({"login": "postgres", "schema": "ledger", "host": "/run/pg", "port": 5433}),
            (None, None, "postgres", None, "ledger", {"host": "/run/pg", "port": "5433"}),
        ),
    ],
)  # fmt: skip
def test_every_way_to_name_a_server(text: str, expected: tuple[object, ...]) -> None:
    url = from_text(text)
    assert url.drivername == "postgresql+psycopg"
    found = (url.host, url.port, url.username, url.password, url.database, dict(url.query))
    assert found == expected


@pytest.mark.parametrize(
    "text", ["mysql://secret@h/d", "secret", "", "postgresql://h:secret/d", '{"secret', "{}x", '{"extra": [1]}']
)
def test_what_is_no_address_is_said_without_repeating_it(text: str) -> None:
    with pytest.raises(PermanentError) as caught:
        from_text(text)
    assert "secret" not in str(caught.value)


def test_an_airflow_connection_with_settings_libpq_does_not_know() -> None:
    url = from_connection(host="h", database="d", extra={"sslmode": "require", "iam": True, "sslcert": ""})
    assert dict(url.query) == {"sslmode": "require"}


def test_the_environment_is_read_in_order() -> None:
    both = {"REMINDERS_LEDGER_URL": "postgresql://first/d", "AIRFLOW_CONN_REMINDERS_LEDGER": "postgresql://second/d"}
    assert from_environment(both).host == "first"
    del both["REMINDERS_LEDGER_URL"]
    assert from_environment(both).host == "second"
    with pytest.raises(PermanentError, match="--url"):
        from_environment({})
