"""`make check-ils` on the fictional library behind the Oracle wire: what it says and what it returns."""

from __future__ import annotations

import io
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime

import pytest

from loan_reminders.commands import check_ils
from loan_reminders.settings.library_toml import ROOT
from sql.demo.generator import STAGE_LOANS
from tests.scenes.aleph import TODAY, assert_no_session_left
from tests.scenes.checked_ils import DAY, PASSWORD, check

LOANS = STAGE_LOANS[2] - 2

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


GOLDEN = f"""\
SIGB « aleph », connexion Airflow « ils_oracle »
✓ Serveur joint, compte accepté : Oracle 11.2.0.2.0 (0,00 s)
✓ Compte ILS (0,00 s)
✓ Le compte ne peut que lire (0,00 s)
✓ Droits suffisants : 8 tables ou vues à lire (0,00 s)
✓ loans_due.sql est comprise et rend les 34 colonnes du contrat (0,00 s)
✓ loan_now.sql est comprise (0,00 s)
✓ Plan : aucune grande table lue en entier (0,00 s)
✓ {LOANS} prêts à échéance du 03/03/2026 (0,00 s)
! 2 lignes illisibles, écartées (0,00 s)
    loan_date (missing) : 1
    loan_date (not_a_date) : 1
  → Corriger la colonne dans loans_due.sql, ou la fiche dans le SIGB.
! 2 codes inconnus des réglages (0,00 s)
    statut « 99 » (1 prêt) → ils.patron_categories
    langue « XXX » (1 prêt) → ils.languages
  → Les ajouter à library.toml.
✓ 225 lecteurs : e-mail 92 %, mobile 73 %, adresse 98 % (0,00 s)
✓ À comparer avec l'écran du SIGB : (0,00 s)
    000400013000001-2372  S… B…  étudiant  BULET  24/02/2026 → 03/03/2026  e-mail, mobile, adresse
    000400049000001-2250  H… B…  étudiant  BULET  17/02/2026 → 03/03/2026  e-mail, mobile, adresse
    000400077000001-2234  A… M…  étudiant  BULET  28/02/2026 → 03/03/2026  e-mail, mobile, adresse
    000400098000002-2137  M… V…  étudiant  BUSCI  17/02/2026 → 03/03/2026  e-mail, mobile, adresse
    000400104000001-2249  F… P…  étudiant  BUDRT  17/02/2026 → 03/03/2026  e-mail, mobile, adresse
    000400106000001-2319  A… G…  étudiant  BUSCI  28/02/2026 → 03/03/2026  e-mail, mobile, adresse
    000400116000001-2106  Y… J…  étudiant  BUDRT  03/02/2026 → 03/03/2026  e-mail, mobile, adresse
    000400127000001-2385  N… C…  étudiant  BUMED  17/02/2026 → 03/03/2026  e-mail, mobile, adresse
    000400132000001-2307  É… H…  étudiant  BUDRT  03/02/2026 → 03/03/2026  e-mail, adresse
    000400144000001-2171  D… V…  extérieur  BUDRT  03/02/2026 → 03/03/2026  mobile, adresse
2 points à regarder.
"""


def test_the_fictional_library_as_it_is(server):
    assert check() == (1, GOLDEN)


def test_nothing_of_a_reader_is_said_but_masked(server, ils_database):
    _, said = check()
    with closing(sqlite3.connect(ils_database)) as connection:
        names = {part for row in connection.execute("SELECT z303_name FROM z303") for part in re.split(r"\W+", row[0])}
        addresses = {row[0] for row in connection.execute("SELECT z304_email_address FROM z304") if row[0]}
        phones = {row[0].strip() for row in connection.execute("SELECT z304_telephone FROM z304") if row[0]}
    words = set(re.findall(r"\w+", said))
    assert not {name for name in names if len(name) > 2} & words
    assert not [found for found in addresses | phones if len(found) > 5 and found in said]
    assert PASSWORD not in said


def test_what_may_be_a_readers_own_is_not_told_as_a_code(server, ils_database):
    """A wrong join, or a column that holds something else: the name or the card of each reader as the status."""
    with closing(sqlite3.connect(ils_database)) as connection:
        kept = connection.execute("SELECT z36_bor_status, rowid FROM z36").fetchall()
        connection.execute("UPDATE z36 SET z36_bor_status = z36_id")
        connection.commit()
        try:
            status, said = check()
        finally:
            connection.executemany("UPDATE z36 SET z36_bor_status = ? WHERE rowid = ?", kept)
            connection.commit()
        cards = {row[0].strip() for row in connection.execute("SELECT DISTINCT z36_id FROM z36")}
    assert status == 1
    assert re.search(r"statut, codes divers \(\d+ prêts\) → ils\.patron_categories", said)
    assert not {card for card in cards if card in said}


def test_the_ils_is_only_read_and_no_session_is_left(server):
    check()
    assert_no_session_left(server)
    kinds = {said.split()[0] for said in server.statements}
    assert kinds <= {"SELECT", "SET", "ALTER", "ROLLBACK", "COMMIT", "EXPLAIN", "--"}
    explained = [place for place, said in enumerate(server.statements) if said.startswith("EXPLAIN")]
    assert len(explained) == 1
    assert server.statements[explained[0] - 1] == "ROLLBACK"
    assert "ROLLBACK" in server.statements[explained[0] + 1 :][:20]


def test_a_library_where_all_is_well_returns_zero(server):
    status, said = check("--day", TODAY.isoformat())
    assert (status, said.splitlines()[-1]) == (0, "Tout va bien.")


def test_yesterday_is_the_day_without_another(server):
    _, said = check("--day", (TODAY.replace(day=1)).isoformat())
    assert "01/03/2026" in said
    said = io.StringIO()
    check_ils.main([], now=lambda zone: datetime(2026, 3, 4, 0, 30, tzinfo=zone), stopwatch=lambda: 0.0, out=said)
    assert "à échéance du 03/03/2026" in said.getvalue()


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "loan_reminders", "check-ils", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugins"), **environment},
        capture_output=True,
        check=False,
        timeout=120,
    )


def test_the_command_itself_says_that_and_no_more(server, tmp_path):
    done = run("--day", DAY, AIRFLOW_HOME=str(tmp_path), PYTHONIOENCODING="latin-1")
    said = done.stdout.decode("latin-1")
    assert done.returncode == 1
    assert said.startswith("SIGB « aleph », connexion Airflow « ils_oracle »\n? Serveur joint, compte accepté : Ora")
    assert f"{LOANS} prêts à échéance du 03/03/2026" in said
    assert PASSWORD not in said + done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_its_help_says_what_it_returns():
    done = run("--help", PYTHONIOENCODING="utf-8")
    said = done.stdout.decode()
    assert done.returncode == 0
    assert "0 tout va bien ; 1 quelque chose est à regarder" in said
    assert "N'écrit rien, ni dans le SIGB ni dans le registre" in said


def test_an_unexpected_error_is_a_failure_without_its_words(server, monkeypatch):
    from loan_reminders.gateways.runs.checks.oracle import OracleInspection

    def break_down(self):
        raise KeyError("Dupont")

    monkeypatch.setattr(OracleInspection, "account", break_down)
    status, said = check()
    assert status == 2
    assert re.search(r"✗ Erreur inattendue : KeyError \(.*:\d+\)\n", said)
    assert "Dupont" not in said


def test_wrong_settings_are_told_as_they_are(server, monkeypatch, tmp_path):
    path = tmp_path / "library.toml"
    path.write_text((ROOT / "library.toml").read_text(encoding="utf-8").replace('kind = "aleph"', 'kind = "nope"'))
    monkeypatch.setenv("REMINDERS_CONFIG", str(path))
    status, said = check()
    assert status == 2
    assert "ils.kind" in said
