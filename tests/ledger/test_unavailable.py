"""When the database cannot: the class of the error decides the retry, its words never name a reader or a secret."""

from __future__ import annotations

import socket
import traceback
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.exc import SQLAlchemyError

from loan_reminders.commands import migrate
from loan_reminders.domain.errors import LedgerUnavailable, PermanentError
from loan_reminders.domain.stages import Channel
from loan_reminders.french.refusals import sentence
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import a_loan, a_patron
from tests.scenes.ledger_runs import extracted, opened, planned, rows, some_deliveries
from tests.scenes.sentences import saying
from tests.simulators.postgres import EmbeddedPostgres

A_LOAN = a_loan(patron=a_patron(name="Nom Secret"))


@pytest.fixture
def ledger_database(own_ledger: str) -> str:
    """A ledger of each test's own: most of them harm its tables or its rights."""
    return own_ledger


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where nobody answers: bound, never listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_nobody_answers_on_the_port(silent_port: int) -> None:
    url = f"postgresql://someone:hush@127.0.0.1:{silent_port}/ledger"
    refused = pytest.raises(LedgerUnavailable, check=saying(r"base du registre ne répond pas : .*refused"))
    with connect(url, library="demo") as ledger, refused as caught:
        ledger.run(1)
    assert "hush" not in "".join(traceback.format_exception(caught.value))


def test_no_server_behind_the_socket() -> None:
    url = "postgresql://postgres:@/ledger?host=/nonexistent-folder"
    with connect(url, library="demo") as ledger, pytest.raises(LedgerUnavailable, check=saying("/nonexistent-folder")):
        ledger.run(1)


@pytest.mark.parametrize(
    ("password", "words"), [("wrong", "password authentication failed"), ("", "no password supplied")]
)
def test_a_wrong_password_is_not_tried_again(
    postgres_server: EmbeddedPostgres, ledger_database: str, password: str, words: str
) -> None:
    role = f"role_{ledger_database}"
    postgres_server.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'the-right-one'")
    rules = postgres_server.folder / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"local all {role} scram-sha-256\n{before}")
    postgres_server.execute("SELECT pg_reload_conf()")
    try:
        with connect(postgres_server.url(ledger_database, user=role, password=password), library="demo") as ledger:
            with pytest.raises(PermanentError, check=saying(words)) as caught:
                ledger.run(1)
            assert "wrong" not in sentence(caught.value)
    finally:
        rules.write_text(before)
        postgres_server.execute("SELECT pg_reload_conf()")
        postgres_server.execute(f"DROP ROLE {role}")


def test_a_database_that_does_not_exist(postgres_server: EmbeddedPostgres) -> None:
    with (
        connect(postgres_server.url("nowhere"), library="demo") as ledger,
        pytest.raises(PermanentError, check=saying("nowh")),
    ):
        ledger.run(1)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (
            None,
            "pas encore de tables : l'administrateur doit lancer `.*loan_reminders migrate upgrade`",
        ),
        (
            "UPDATE reminders_alembic_version SET version_num = '0000'",
            "0000, il faut .* : .* doit lancer `python -m loan_reminders migrate",
        ),
        ("UPDATE reminders_alembic_version SET version_num = '9999'", "installer la nouvelle version"),
        ("DELETE FROM reminders_alembic_version", "pas encore de tables"),
    ],
)
def test_a_schema_that_does_not_fit_says_what_to_run(
    postgres_server: EmbeddedPostgres, ledger_url: str, ledger_database: str, harm: str | None, words: str
) -> None:
    if harm is None:
        migrate.downgrade(ledger_url, "base")
    else:
        postgres_server.execute(harm, database=ledger_database)
    with connect(ledger_url, library="demo") as ledger, pytest.raises(PermanentError, check=saying(words)):
        opened(ledger)


def test_a_table_lost_since_says_what_to_run(ledger: PostgresLedger) -> None:
    opened(ledger)
    rows(ledger, "DROP TABLE skips")
    with pytest.raises(PermanentError, check=saying("migrate upgrade")):
        opened(ledger)


def test_a_missing_right_is_not_tried_again(
    postgres_server: EmbeddedPostgres, ledger_database: str, ledger: PostgresLedger
) -> None:
    run = opened(ledger)
    role = f"role_{ledger_database}"
    postgres_server.execute(f"CREATE ROLE {role} LOGIN")
    postgres_server.execute(f"GRANT SELECT ON reminders_alembic_version, runs TO {role}", database=ledger_database)
    with connect(postgres_server.url(ledger_database, user=role), library="demo") as reader:
        assert reader.run(run.run_id) == run
        with pytest.raises(PermanentError, check=saying("il manque au compte un droit")):
            reader.finish_extraction(run.run_id, 0)
    postgres_server.execute(f"DROP OWNED BY {role}", database=ledger_database)
    postgres_server.execute(f"DROP ROLE {role}")


def test_a_read_only_database_is_a_matter_of_time(
    postgres_server: EmbeddedPostgres, ledger_database: str, ledger_url: str
) -> None:
    postgres_server.execute(f"ALTER DATABASE {ledger_database} SET default_transaction_read_only = on")
    with (
        connect(ledger_url, library="demo") as ledger,
        pytest.raises(LedgerUnavailable, check=saying("en lecture seule")),
    ):
        opened(ledger)


def test_a_restart_between_two_uses_is_not_noticed(ledger: PostgresLedger, ledger_url: str) -> None:
    run = opened(ledger)
    with connect(ledger_url, library="demo") as other:
        cut = """
            SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        """
        assert rows(other, cut) == [(True,)]
    assert ledger.run(run.run_id) == run


def test_a_lock_held_too_long_is_a_matter_of_time(ledger: PostgresLedger, ledger_url: str) -> None:
    run = extracted(ledger, [a_loan()])
    with (
        connect(ledger_url, library="demo", lock_seconds=0.2) as impatient,
        ledger.planning(run.run_id),
        pytest.raises(LedgerUnavailable, check=saying("55P03")),
    ):
        impatient.close_run(run.run_id)


@pytest.mark.parametrize(
    "use",
    [
        lambda ledger, run: ledger.record_loans(run.run_id, [A_LOAN]),
        lambda ledger, run: ledger.planned_count(run.run_id, Channel.EMAIL),
        lambda ledger, run: ledger.sender(run.run_id, Channel.EMAIL).__enter__(),
        lambda ledger, run: ledger.planning(run.run_id).__enter__(),
        lambda ledger, run: ledger.close_run(run.run_id),
    ],
)
def test_no_driver_error_and_no_name_gets_out(
    postgres_server: EmbeddedPostgres,
    ledger_database: str,
    ledger: PostgresLedger,
    use: Callable[[PostgresLedger, object], object],
) -> None:
    run = opened(ledger)
    for table in ("receipts", "delivery_loans", "deliveries", "loans_seen"):
        postgres_server.execute(f"DROP TABLE {table} CASCADE", database=ledger_database)
    postgres_server.execute("ALTER TABLE runs RENAME COLUMN planned_at TO lost", database=ledger_database)
    with pytest.raises(PermanentError) as caught:
        use(ledger, run)
    told = "".join(traceback.format_exception(caught.value))
    assert "Secret" not in told
    assert not isinstance(caught.value.__cause__, SQLAlchemyError)


def test_a_plan_refused_by_the_database_names_nobody(ledger: PostgresLedger) -> None:
    [delivery] = some_deliveries(1)
    run = planned(ledger, [delivery])
    again = extracted(ledger, delivery.loans, dag_run_id="run-2")
    with (
        pytest.raises(PermanentError, check=saying("notices_pkey")) as caught,
        ledger.planning(again.run_id) as planning,
    ):
        planning.record([delivery], [])
    told = "".join(traceback.format_exception(caught.value))
    assert delivery.notice.patron.patron_id not in told
    assert run.run_id != again.run_id
