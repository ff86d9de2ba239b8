"""The operator that reads the mailbox of bounces: its connection, and what it says when there is none."""

from __future__ import annotations

import json

import pytest

from tests.scenes.bounce_samples import dsn, human
from tests.scenes.ledger_emails import mailed
from tests.scenes.ledger_runs import rows
from tests.scenes.several_libraries import use, write_libraries
from tests.simulators.imap_server import ImapServer


@pytest.fixture
def returns():
    with ImapServer() as server:
        yield server


def connections(monkeypatch, postgres_server, ledger_database, **imap):
    books = {"conn_type": "postgres", "login": "postgres", "schema": ledger_database}
    books |= {"extra": {"host": str(postgres_server.socket_folder)}}
    monkeypatch.setenv("AIRFLOW_CONN_REMINDERS_LEDGER", json.dumps(books))
    if imap:
        monkeypatch.setenv(
            "AIRFLOW_CONN_BOUNCE_MAILBOX", json.dumps({"conn_type": "imap", "host": "127.0.0.1", **imap})
        )


def test_the_operator_reads_the_mailbox_of_its_connection(returns, monkeypatch, postgres_server, ledger_database):
    from loan_reminders.operators import ReadBounces

    returns.add(dsn(), human())
    login, password = returns.credentials
    extra = {"use_ssl": False, "login_in_clear": True}
    imap = {"port": returns.port, "login": login, "password": password, "extra": extra}
    connections(monkeypatch, postgres_server, ledger_database, **imap)
    counts = ReadBounces(task_id="read").execute({})
    assert (counts["read"], counts["hard"], counts["unknown"], counts["left"]) == (2, 1, 1, 1)
    assert all(isinstance(number, int) for number in counts.values())


def test_without_the_connection_the_task_is_skipped_in_words(monkeypatch, postgres_server, ledger_database):
    from airflow.sdk.exceptions import AirflowSkipException

    from loan_reminders.operators import ReadBounces

    connections(monkeypatch, postgres_server, ledger_database)
    with pytest.raises(AirflowSkipException, match="Pas de boîte à relever"):
        ReadBounces(task_id="read").execute({})


def test_a_wrong_password_fails_at_once(returns, monkeypatch, postgres_server, ledger_database):
    from airflow.sdk.exceptions import AirflowFailException

    from loan_reminders.operators import ReadBounces

    extra = {"use_ssl": "false", "login_in_clear": "true"}
    imap = {"port": returns.port, "login": "x", "password": "s3cret", "extra": extra}
    connections(monkeypatch, postgres_server, ledger_database, **imap)
    with pytest.raises(AirflowFailException, match="mot de passe") as refused:
        ReadBounces(task_id="read").execute({})
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("extra", [{"use_ssl": False}, {"use_ssl": "false", "login_in_clear": "false"}])
def test_a_password_never_leaves_in_clear_unless_the_connection_says_so(
    returns, monkeypatch, postgres_server, ledger_database, extra
):
    from airflow.sdk.exceptions import AirflowFailException

    from loan_reminders.operators import ReadBounces

    login, password = returns.credentials
    imap = {"port": returns.port, "login": login, "password": password, "extra": extra}
    connections(monkeypatch, postgres_server, ledger_database, **imap)
    with pytest.raises(AirflowFailException, match="login_in_clear"):
        ReadBounces(task_id="read").execute({})
    assert returns.commands == []


def test_a_shared_mailbox_knows_the_return_paths_of_every_library_that_shares_it(
    returns, monkeypatch, postgres_server, ledger_database, ledger, tmp_path
):
    from airflow.sdk import DAG

    from loan_reminders.ledger.repository import PostgresLedger
    from loan_reminders.operators import ReadBounces

    def with_address(code):
        return [('bounce_address = ""', f'bounce_address = "retours-{code}@bu.example.org"')]

    codes = ("rivage", "colline", "plage")
    changes = {code: with_address(code) for code in codes}
    changes["plage"].append(('hour = "10:00"', 'hour = "25:00"'))
    use(monkeypatch, write_libraries(tmp_path / "libraries", *codes, **changes))
    mailed_by = {code: mailed(PostgresLedger(ledger.engine, library=code)) for code in codes}
    path = f"Delivered-To: retours-colline+{mailed_by['colline'].hex}@bu.example.org\n"
    to_the_wrong_one = f"Delivered-To: retours-plage+{mailed_by['plage'].hex}@bu.example.org\n"
    returns.add(dsn(headers=path, returned="Subject: x\n"), dsn(headers=to_the_wrong_one, returned="Subject: x\n"))
    login, password = returns.credentials
    extra = {"use_ssl": False, "login_in_clear": True}
    imap = {"port": returns.port, "login": login, "password": password, "extra": extra}
    connections(monkeypatch, postgres_server, ledger_database, **imap)
    with DAG("mail_feedback__rivage", schedule=None):
        task = ReadBounces(task_id="read")
    assert task.execute({})["new"] == 0
    kept = [row.library for row in rows(ledger, "SELECT library FROM mail_bounces ORDER BY library")]
    assert kept == ["colline", "plage"], "also while the settings of one are wrong"
