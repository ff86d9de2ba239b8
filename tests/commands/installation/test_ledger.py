"""What the doctor finds of the ledger: each fault in a real PostgreSQL."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from loan_reminders.commands import doctor as command
from loan_reminders.commands.installation import of_outside
from loan_reminders.domain.stages import Channel, Stage
from tests.scenes.ledger_letters import closed
from tests.scenes.ledger_runs import planned, some_deliveries
from tests.scenes.world import closed_port


@pytest.fixture
def connected(doctor, postgres_server):
    def connect(database, **changes):
        known = {"conn_type": "postgres", "host": str(postgres_server.socket_folder), "login": "postgres"}
        doctor.connect("reminders_ledger", **{**known, "schema": database, **changes})

    return connect


@pytest.fixture
def account(postgres_server, own_ledger):
    """An account that owns nothing and may do all that is needed."""
    tables = "ALL TABLES IN SCHEMA public"
    for statement in (
        "CREATE ROLE doctored LOGIN",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO doctored",
    ):
        postgres_server.execute(statement, database=own_ledger)
    yield "doctored"
    for statement in ("DROP OWNED BY doctored", "DROP ROLE doctored"):
        postgres_server.execute(statement, database=own_ledger)


def outcomes(found):
    return [(one["outcome"], one["what"].partition(" (")[0]) for one in found]


def test_a_sound_ledger(doctor, connected, own_ledger, account):
    connected(own_ledger, login=account)
    status, found = doctor.findings("ledger")
    assert status == 0
    assert outcomes(found)[0] == ("fine", "Registre joint")
    assert "la base refuse" in found[1]["what"]


def test_nothing_is_left_behind(doctor, connected, own_ledger, postgres_server):
    connected(own_ledger)
    doctor.findings("ledger")
    assert postgres_server.execute("SELECT count(*) FROM form_keys", database=own_ledger) == [(0,)]
    assert postgres_server.execute("SELECT count(*) FROM journal", database=own_ledger) == [(0,)]


def test_a_superuser_is_too_much(doctor, connected, own_ledger):
    connected(own_ledger)
    status, found = doctor.findings("ledger")
    assert status == 1
    assert "superutilisateur" in found[1]["what"]


def test_rights_that_are_missing_are_named(doctor, connected, own_ledger, account, postgres_server):
    postgres_server.execute("REVOKE INSERT, DELETE ON deliveries FROM doctored", database=own_ledger)
    connected(own_ledger, login=account)
    status, found = doctor.findings("ledger")
    assert status == 2
    assert found[0]["details"] == ["DELETE sur deliveries", "INSERT sur deliveries"]


def test_a_journal_that_can_be_changed(doctor, connected, own_ledger, postgres_server):
    postgres_server.execute("ALTER TABLE journal DISABLE TRIGGER journal_is_append_only", database=own_ledger)
    connected(own_ledger)
    status, found = doctor.findings("ledger")
    assert status == 2
    assert "Le journal des actes peut être changé" in found[-1]["what"]


def test_tables_that_are_not_there(doctor, connected, empty_database):
    connected(empty_database)
    status, (finding,) = doctor.findings("ledger")
    assert status == 2
    assert "migrate upgrade" in finding["what"]


def test_a_server_that_is_not_there(doctor, connected):
    connected("nothing", host="127.0.0.1", port=closed_port(), password="un-Secret")
    status, said = doctor("ledger")
    assert status == 2
    assert "un-Secret" not in said


def with_first_day(monkeypatch, day):
    ((file, ours),) = command.all_settings()
    changed = ours.model_copy(update={"library": ours.library.model_copy(update={"starts_on": day})})
    monkeypatch.setattr(command, "all_settings", lambda: [(file, changed)])


def test_the_first_switch_on_wants_a_first_day(doctor, connected, own_ledger, monkeypatch):
    connected(own_ledger)
    status, (finding,) = doctor.findings("start")
    assert status == 1
    assert "starts_on" in finding["what"]
    with_first_day(monkeypatch, date(2026, 9, 1))
    status, (finding,) = doctor.findings("start")
    assert status == 0
    assert "01/09/2026" in finding["what"]


def test_a_library_that_told_readers_is_not_asked_for_a_first_day(doctor, connected, own_ledger, postgres_server):
    from loan_reminders.ledger.connect import connect

    connected(own_ledger)
    with connect(postgres_server.url(own_ledger), library="montclar") as ledger:
        planned(
            ledger, some_deliveries(1, channel=Channel.LETTER), dag_run_id="nobody told", stage=Stage.FIRST_REMINDER
        )
        assert doctor.findings("start")[0] == 1
        closed(ledger, 1, prefix="told")
    assert doctor.findings("start")[0] == 0


def test_clocks_that_agree_and_that_do_not(doctor, connected, own_ledger, server, airflow_tables, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__DEFAULT_TIMEZONE", "Europe/Paris")
    connected(own_ledger)
    assert doctor.findings("clocks")[0] == 0
    server.dictionary.ahead = timedelta(seconds=30)
    status, found = doctor.findings("clocks")
    assert status == 1
    assert "Horloge du SIGB : +" in found[-1]["what"]
    server.dictionary.ahead = timedelta(hours=1)
    assert doctor.findings("clocks")[0] == 2
    server.dictionary.ahead = timedelta(0)
    real = doctor.now
    doctor.now = lambda: real() + timedelta(minutes=3)
    status, found = doctor.findings("clocks")
    assert status == 2
    assert sum(one["outcome"] == "failure" for one in found) == 3


def test_a_clock_that_cannot_be_asked_and_another_zone(doctor, connected, own_ledger, airflow_tables, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__DEFAULT_TIMEZONE", "utc")
    connected("nothing", host="127.0.0.1", port=closed_port())
    status, found = doctor.findings("clocks")
    assert status == 1
    assert "Airflow est à l'heure de utc" in found[0]["what"]
    assert "Horloge du registre : inconnue (LedgerUnavailable)" in [one["what"] for one in found]


def test_letters_on_the_disk_of_the_ledger_are_told(
    doctor, connected, own_ledger, postgres_server, tmp_path, monkeypatch
):
    """A disk that goes back to yesterday takes the mark of what left with it."""
    from loan_reminders.ledger.installation.inspection import LedgerInspection, LedgerPlace

    connected(own_ledger)
    monkeypatch.setenv("REMINDERS_STORAGE", str(postgres_server.folder / "letters"))
    status, found = doctor.findings("storage")
    assert status == 1
    assert "même disque que le registre" in found[-1]["what"]
    monkeypatch.setattr(of_outside, "SIGNS_OF_A_CONTAINER", (sign := tmp_path / "dockerenv",))
    another, another_disk = LedgerPlace(is_here=False, folder=""), LedgerPlace(is_here=True, folder="/proc")
    for elsewhere in (another, another_disk):
        monkeypatch.setattr(LedgerInspection, "place", lambda _, place=elsewhere: place)
        assert doctor.findings("storage")[0] == 0
    sign.touch()
    assert doctor.findings("storage")[0] == 0
    monkeypatch.setattr(LedgerInspection, "place", lambda _: another)
    status, found = doctor.findings("storage")
    assert (status, "on ne voit pas" in found[-1]["what"]) == (1, True), "the other address may be a container beside"
