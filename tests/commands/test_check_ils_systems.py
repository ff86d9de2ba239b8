"""`make check-ils` on Koha, Sierra and PMB: real servers, an account that only reads, and each thing that is wrong."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from datetime import datetime

import pytest

from loan_reminders.commands import check_ils
from loan_reminders.settings.library_toml import ROOT
from sql.demo.generator import make_library
from tests.scenes.aleph import TODAY, due_day
from tests.scenes.library_systems import SYSTEMS, connection_to, database_of

DAY = due_day("C")
ACCOUNT, PASSWORD = "relances", "un-mot-de-passe"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@dataclass(frozen=True)
class Site:
    """One library system on its server, and the Airflow connection of an account that may only read it."""

    system: object
    server: object
    name: str

    @property
    def connection(self):
        if self.system.engine == "mariadb":
            extra = {"engine": "mariadb"}
            where = {"conn_type": "generic", "host": self.server.host, "port": self.server.port}
        else:
            extra = {"host": str(self.server.socket_folder)}
            where = {"conn_type": "postgres"}
        return {**where, "login": ACCOUNT, "password": PASSWORD, "schema": self.name, "extra": extra}

    def execute(self, *statements):
        for statement in statements:
            self.server.execute(statement, database=self.name)

    def settings(self, folder, minors):
        """The library's settings, with this system and a rule for minors."""
        text = (ROOT / "library.toml").read_text(encoding="utf-8")
        text = text.replace('kind = "aleph"', f'kind = "{self.system.name}"')
        text = re.sub(r"\[ils\.binds\].*?(?=\n\[)", "", text, flags=re.DOTALL)
        if self.system.name == "pmb":
            text += f"\n[ils.pmb]\nlost_statuses = {self.system.settings.lost_statuses}\n"
        text = text.replace('minors = "same"', f'minors = "{minors}"')
        path = folder / "library.toml"
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture(scope="module", params=SYSTEMS, ids=[system.name for system in SYSTEMS])
def site(request):
    system = request.param
    server = request.getfixturevalue("mariadb_server" if system.engine == "mariadb" else "postgres_server")
    library = make_library(today=TODAY, patrons=300, loans=1500)
    with database_of(system, server, system.tables(library, today=TODAY)) as gateway:
        made = Site(system=system, server=server, name=gateway.name)
        if system.engine == "mariadb":
            made.execute(
                f"CREATE OR REPLACE USER {ACCOUNT}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
                f"GRANT SELECT ON {made.name}.* TO {ACCOUNT}@'127.0.0.1'",
            )
            yield made
            made.execute(f"DROP USER {ACCOUNT}@'127.0.0.1'")
        else:
            made.execute(
                f"CREATE ROLE {ACCOUNT} LOGIN PASSWORD '{PASSWORD}'",
                f"GRANT USAGE ON SCHEMA sierra_view TO {ACCOUNT}",
                f"GRANT SELECT ON ALL TABLES IN SCHEMA sierra_view TO {ACCOUNT}",
                "ANALYZE",
            )
            yield made
            made.execute(f"DROP OWNED BY {ACCOUNT}", f"DROP ROLE {ACCOUNT}")


@pytest.fixture
def check(site, monkeypatch, tmp_path):
    def run(*, minors="same", **changes):
        monkeypatch.setenv("REMINDERS_CONFIG", str(site.settings(tmp_path, minors)))
        monkeypatch.setenv("AIRFLOW_CONN_ILS_ORACLE", json.dumps({**site.connection, **changes}))
        monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "client")
        said = io.StringIO()
        status = check_ils.main(
            ["--day", DAY.isoformat()],
            now=lambda zone: datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=zone),
            stopwatch=lambda: 0.0,
            out=said,
        )
        return status, said.getvalue()

    return run


def test_a_system_that_is_as_it_should_be_has_no_failure(check, site):
    status, said = check()
    assert status < 2
    assert "✗" not in said
    engine = "MariaDB 1" if site.system.engine == "mariadb" else "PostgreSQL 1"
    for line in (
        f"✓ Serveur joint, compte accepté : {engine}",
        f"✓ Compte {ACCOUNT}",
        "✓ Le compte ne peut que lire",
        "✓ Droits suffisants : ",
        "✓ loans_due.sql est comprise et rend les 34 colonnes du contrat",
        "✓ loan_now.sql est comprise",
        "✓ Plan : aucune grande table lue en entier",
    ):
        assert line in said
    count = int(re.search(r"✓ (\d+) prêts à échéance du 03/03/2026", said)[1])
    library = make_library(today=TODAY, patrons=300, loans=1500)
    expected = site.system.expected(library, DAY)
    refused = int((re.search(r"! (\d+) lignes? illisibles?", said) or [0, 0])[1])
    assert count + refused == len(expected)
    assert re.search(r"lecteurs : e-mail [5-9]\d %, mobile [4-9]\d %, adresse \d+ %", said)
    assert len(re.findall(r"^    \S+  \S… ", said, flags=re.MULTILINE)) >= 7
    assert PASSWORD not in said
    assert "mineur" not in said


def test_with_a_rule_for_minors_it_says_that_birth_dates_are_asked_for_and_how_many_are_minors(check):
    status, said = check(minors="never")
    assert status < 2
    assert "✓ loans_due.sql est comprise et rend les 34 colonnes du contrat, et birth_date, que demande [sms." in said
    assert re.search(r"lecteurs : e-mail \d+ %, mobile \d+ %, adresse \d+ % ; [1-9]\d* mineurs", said)


def test_an_account_that_could_write_is_a_warning(check, site):
    table = {"koha": "issues", "pmb": "pret", "sierra": "sierra_view.checkout"}[site.system.name]
    if site.system.engine == "mariadb":
        grant, account = f"UPDATE ON {site.name}.{table}", f"{ACCOUNT}@'127.0.0.1'"
    else:
        grant, account = f"UPDATE ON {table}", ACCOUNT
    site.execute(f"GRANT {grant} TO {account}")
    try:
        status, said = check()
    finally:
        site.execute(f"REVOKE {grant} FROM {account}")
    assert status == 1
    assert "! Le compte pourrait écrire (1 droit de trop)" in said
    assert f"    UPDATE sur {table if '.' in table else f'{site.name}.{table}'}\n" in said


def test_a_table_that_is_missing_or_closed_is_a_failure(check, site):
    table = {"koha": "biblio", "pmb": "notices", "sierra": "sierra_view.patron_record"}[site.system.name]
    new = f"{table.rpartition('.')[2]}_old"
    if site.system.engine == "mariadb":
        site.execute("SET FOREIGN_KEY_CHECKS = 0", f"RENAME TABLE {table} TO {new}")
    else:
        site.execute(f"ALTER TABLE {table} RENAME TO {new}")
    try:
        status, said = check()
    finally:
        if site.system.engine == "mariadb":
            site.execute(f"RENAME TABLE {new} TO {table}")
        else:
            site.execute(f"ALTER TABLE sierra_view.{new} RENAME TO {table.rpartition('.')[2]}")
    assert status == 2
    assert "✗ Droits insuffisants : 1 sur" in said
    assert f"    {table} : " in said
    assert "→ Demander à l'administrateur de la base le droit SELECT sur ces tables" in said
    assert "prêts à échéance" not in said


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"password": "faux-Secret", "login": "personne"}, r"✗ Pas de connexion : Connexion au SIGB : \S+, "),
        ({"schema": "nulle_part"}, r"✗ Pas de connexion : Connexion au SIGB : \S+, "),
        ({"conn_type": "sqlite"}, "✗ Pas de connexion : La connexion ils_oracle est de type « sqlite »"),
    ],
)
def test_a_connection_that_fails_says_what_to_ask_whom(check, changes, told):
    status, said = check(**changes)
    assert status == 2
    assert re.search(told, said)
    assert "\n  → " in said
    assert "Secret" not in said
    assert "relancer la tâche" not in said


def test_a_server_that_is_down_says_so(check, site):
    changes = {"port": 1} if site.system.engine == "mariadb" else {"extra": {"host": "/nonexistent"}}
    status, said = check(**changes)
    assert status == 2
    assert "✗ Pas de connexion : Connexion au SIGB : " in said


def test_nothing_was_changed(check, site):
    table = {"koha": "issues", "pmb": "pret", "sierra": "sierra_view.checkout"}[site.system.name]
    with connection_to(site.system, site.server, site.name) as connection:
        cursor = connection.cursor()
        cursor.execute(f"SELECT COUNT(*) FROM {table}")
        before = cursor.fetchone()
    check()
    with connection_to(site.system, site.server, site.name) as connection:
        cursor = connection.cursor()
        cursor.execute(f"SELECT COUNT(*) FROM {table}")
        assert cursor.fetchone() == before
