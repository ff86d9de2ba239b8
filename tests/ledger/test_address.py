"""Where the ledger is, in every way it may be written down."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from loan_reminders.commands import migrate, sms_costs
from loan_reminders.domain.errors import PermanentError
from loan_reminders.ledger.address import from_command_line, from_connection, from_environment, from_text

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


def test_the_environment_may_say_it() -> None:
    assert from_environment({"REMINDERS_LEDGER_URL": "postgresql://first/d"}) == from_text("postgresql://first/d")
    assert from_environment({"AIRFLOW_CONN_REMINDERS_LEDGER": "postgresql://second/d"}) is None, (
        "Airflow reads that one"
    )


def test_a_file_may_hold_the_address(tmp_path: Path) -> None:
    file = tmp_path / "ledger"
    file.write_text("postgresql://reminders:p%40ss%2Fword@db.example:5433/ledger\n", encoding="utf-8")
    environment = {"REMINDERS_LEDGER_URL_FILE": str(file)}
    found = from_environment(environment)
    assert found is not None
    assert (found.host, found.password) == ("db.example", "p@ss/word")
    file.unlink()
    with pytest.raises(PermanentError, match=f"illisible : {file}"):
        from_environment(environment)


WITH_PASSWORD = [
    "postgresql://ledger:hush@db.example/ledger",
    "postgresql://ledger:hush@/ledger?host=/run/pg",
    "postgresql://ledger@db.example/ledger?password=hush",
    "postgresql://ledger@db.example/ledger?sslmode=verify-full&sslpassword=hush",
    json.dumps({"login": "ledger", "host": "db.example", "password": "hush", "schema": "ledger"}),
]


@pytest.mark.parametrize("given", WITH_PASSWORD)
def test_an_argument_with_a_password_is_refused_without_repeating_it(given: str) -> None:
    with pytest.raises(PermanentError, match="REMINDERS_LEDGER_URL_FILE") as caught:
        from_command_line(given, {"REMINDERS_LEDGER_URL": "postgresql://elsewhere/d"})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("main", [migrate.main, sms_costs.main], ids=["migrate", "sms_costs"])
def test_no_program_takes_a_password_as_an_argument(
    main: Callable[[Sequence[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    words = {
        migrate.main: ["upgrade"],
        sms_costs.main: ["--bibliotheque=demo", "--depuis=2026-11-01", "--jusqu-a=2026-11-02"],
    }
    assert main([*words[main], "--url", WITH_PASSWORD[0]]) == 1
    said = capsys.readouterr().err
    assert "liste des processus" in said
    assert "hush" not in said


def test_an_argument_without_a_password_wins_over_the_environment() -> None:
    elsewhere = {"REMINDERS_LEDGER_URL": "postgresql://elsewhere/d"}
    for socket in ("postgresql://postgres:@/ledger?host=/run/pg", "postgresql://postgres@/ledger?host=/run/pg"):
        assert from_command_line(socket, elsewhere) == from_text(socket)
    assert from_command_line(None, elsewhere) == from_text("postgresql://elsewhere/d")
    assert from_command_line(None, {}) is None
