"""What a reader may ask, at a terminal: each act as on the page, in French, without his data in what is printed."""

from __future__ import annotations

import io
import json
import stat
from datetime import datetime, timedelta

import pikepdf
import pytest

from loan_reminders.commands.registry import main
from loan_reminders.ledger.connect import connect
from loan_reminders.settings.library_toml import settings
from tests.scenes.disputed_loan import a_whole_story
from tests.scenes.ledger_runs import rows
from tests.scenes.sentences import as_typed

PERSONAL = ("Camille", "camille", "33639980001", "neuve.example")


@pytest.fixture
def ledger(ledger_url):
    with connect(ledger_url, library=settings().library.code) as opened:
        yield opened


@pytest.fixture
def run(ledger, ledger_url, monkeypatch, capsys):
    """A command on a ledger with one reader, P1: its status, and what it said on both outputs, without his data."""
    monkeypatch.setenv("REMINDERS_LEDGER_URL", ledger_url)
    a_whole_story(ledger)

    def of(*words, typed=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        status = main(words)
        said = capsys.readouterr()
        assert not [word for word in PERSONAL if word in said.out + said.err]
        return status, said.out, said.err

    return of


def acts(ledger):
    return rows(ledger, "SELECT who, act FROM journal ORDER BY entry_id")


@pytest.mark.parametrize("form", ["pdf", "json"])
def test_all_of_him_is_written_to_a_file_of_its_owner_alone(ledger, run, tmp_path, form):
    output = tmp_path / f"donnees.{form}"
    status, out, _ = run("reader-data", "--lecteur", "P1", "--sortie", str(output), "--qui", "chloé")
    assert (status, "lignes du registre" in out) == (0, True)
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    if form == "json":
        assert json.loads(output.read_bytes())["lecteur"] == "P1"
    else:
        with pikepdf.open(output) as pdf:
            assert len(pdf.pages) >= 2
    assert acts(ledger) == [("chloé", "reader_data_given")]


@pytest.mark.parametrize("form", ["pdf", "json"])
def test_all_of_him_goes_to_the_standard_output(ledger, ledger_url, monkeypatch, capfdbinary, form):
    """From a container, whose own files are out of reach."""
    monkeypatch.setenv("REMINDERS_LEDGER_URL", ledger_url)
    a_whole_story(ledger)
    assert main(["reader-data", "--lecteur", "P1", "--sortie", "-", "--forme", form]) == 0
    out, err = capfdbinary.readouterr()
    if form == "json":
        assert json.loads(out)["lecteur"] == "P1"
    else:
        with pikepdf.open(io.BytesIO(out)) as pdf:
            assert len(pdf.pages) >= 2
    assert "lignes du registre" in err.decode()


def test_what_cannot_be_given_is_said(run, tmp_path, capsys):
    status, _, err = run("reader-data", "--lecteur", "P9", "--sortie", str(tmp_path / "x.pdf"))
    assert (status, "ne connaît pas" in err) == (1, True)
    status, _, err = run("reader-data", "--lecteur", "P1", "--sortie", "/nulle/part/x.json")
    assert (status, "écriture impossible" in err) == (1, True)
    with pytest.raises(SystemExit):
        main(["reader-data", "--lecteur", "P1", "--sortie", "x.doc"])
    assert ".pdf ou .json" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["reader-data", "--lecteur", "P1", "--sortie", "-"])
    assert "--forme pdf ou --forme json" in as_typed(capsys.readouterr().err)


def test_an_objection_is_noted_listed_and_lifted(ledger, run):
    assert run("reader-object", "--lecteur", "P1", "--canal", "letter", "--motif", "x")[0] == 1
    assert run("reader-object", "--lecteur", "P1", "--canal", "sms")[0] == 1
    status, out, _ = run("reader-object", "--lecteur", "P1", "--canal", "sms", "--motif", "x", "--qui", "zoé")
    assert (status, "aucun SMS" in out) == (0, True)
    [(number,)] = rows(ledger, "SELECT objection_id FROM objections")
    assert f"opposition {number}" in run("reader-object", "--lecteur", "P1")[1]
    assert run("reader-object", "--lever", str(number), "--motif", "x", "--qui", "zoé")[0] == 0
    assert "Aucune opposition" in run("reader-object", "--lecteur", "P1")[1]
    assert acts(ledger) == [("zoé", "objected"), ("zoé", "objection_lifted")]


def test_something_is_put_right_by_what_is_typed_and_ended(ledger, run):
    words = ("reader-correct", "--lecteur", "P1", "--quoi", "email", "--motif", "x", "--qui", "zoé")
    assert run(*words, typed="pas une adresse")[0] == 1
    status, out, _ = run(*words, typed="camille@neuve.example.fr\n")
    assert (status, "e-mail" in out) == (0, True)
    [(number, value)] = rows(ledger, "SELECT amendment_id, value ->> 'email' FROM amendments")
    assert value == "camille@neuve.example.fr"
    assert f"rectification {number}" in run("reader-correct", "--lecteur", "P1")[1]
    assert run("reader-correct", "--terminer", str(number), "--qui", "zoé")[0] == 0
    assert run("reader-correct", "--terminer", str(number))[0] == 1
    assert acts(ledger) == [("zoé", "amended"), ("zoé", "amendment_ended")]


def test_nothing_is_written_until_a_day_and_all_is_kept_meanwhile(ledger, run):
    until = str(datetime.now(settings().zone).date() + timedelta(days=30))
    words = ("reader-hold", "--lecteur", "P1", "--motif", "à l'examen", "--qui", "zoé")
    assert run(*words, "--jusqu-a", "2001-01-01")[0] == 1
    assert run("reader-hold", "--lecteur", "P9", "--motif", "x", "--jusqu-a", until)[0] == 1
    status, out, _ = run(*words, "--jusqu-a", until, "--conserver")
    assert (status, "rien n'en est effacé" in out) == (0, True)
    [(number,)] = rows(ledger, "SELECT hold_id FROM holds")
    assert f"suspension {number}" in run("reader-hold", "--lecteur", "P1")[1]
    assert run("reader-hold", "--lever", str(number))[0] == 1
    assert run("reader-hold", "--lever", str(number), "--motif", "examinée", "--qui", "zoé")[0] == 0
    assert acts(ledger) == [("zoé", "held"), ("zoé", "dispute_noted"), ("zoé", "hold_lifted")]


def test_erasure_says_first_and_then_does(ledger, run):
    rows(ledger, "UPDATE runs SET state = 'closed', closed_at = now()")
    rows(ledger, "UPDATE registered_letters SET state = 'acknowledged'")
    rows(ledger, "UPDATE letter_batches SET state = 'printed'")
    ledger.loan_ends().learn()
    rows(ledger, "UPDATE loan_ends SET open_on = due_date, ended_on = due_date, how = 'returned'")
    status, out, _ = run("reader-erase", "--lecteur", "P1")
    assert (status, "Serait effacé : " in out, "Reste : " in out) == (0, True, True)
    assert rows(ledger, "SELECT 1 FROM readers")
    status, out, _ = run("reader-erase", "--lecteur", "P1", "--remove", "--qui", "zoé")
    assert (status, "Le registre ne connaît plus ce lecteur" in out) == (0, True), out
    assert rows(ledger, "SELECT 1 FROM readers UNION ALL SELECT 1 FROM deliveries") == []
    assert run("reader-erase", "--lecteur", "P1")[0] == 1
    assert acts(ledger)[-1] == ("zoé", "reader_erased")
