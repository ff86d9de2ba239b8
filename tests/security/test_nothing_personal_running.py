"""Nothing personal is left in a running Airflow: not in its database, its audit log, its logs, nor in a file's name.

Dozens of readers of the installation are written so that one would know them again (`planted_readers`). Every
DAG has run, some runs were refused, asked a person, or ended red; every page is asked for and every form sent with
their data. Then both databases and all files are searched, apart from what is about readers: letters, e-mails and the
ledger.
"""

from __future__ import annotations

import re
import zlib
from contextlib import suppress

import pytest

from loan_reminders.domain.stages import Stage
from loan_reminders.ledger.reader_rights.catalogue import WITHOUT_READERS
from tests.e2e.conftest import TIMEOUT, a_browser, run
from tests.scenes.left_behind import THERE, Left, walk
from tests.scenes.unmistakable import found

BESIDE = ("sms_feedback", "mail_feedback", "loan_returns", "watch")
ABOUT_READERS = ("mail/", "postgres/", "sms.jsonl", "ils.sqlite", "letters/")
"""What holds readers because it must: the worlds outside that are played here, the ledger's own files, letters."""
BYTES = re.compile(r"\\\\x((?:[0-9a-f]{2})+)")


def started(installation, dag_id, **conf):
    """Run a DAG that is no stage; it ends as it may."""
    installation.api.unpause(dag_id)
    run_id = installation.api.trigger(dag_id, **conf)
    return installation.api.wait_for_run(dag_id, run_id, timeout=TIMEOUT, alive=installation.check_alive)


@pytest.fixture(scope="module")
def everything_was_done(installation):
    """Each DAG ran at least once, and each page and form was tried; what the answers said beside their pages."""
    left = Left()
    ran = "SELECT DISTINCT stage FROM runs WHERE NOT dry_run AND state = 'closed'"
    if {stage for (stage,) in installation.postgres.execute(ran, database="ledger")} != set(Stage):
        run(installation, *Stage)
    for dag_id in BESIDE:
        started(installation, dag_id)
    for dry_run in (True, False):
        started(installation, "retention", dry_run=dry_run)
    [(number, batch, run_number)] = installation.postgres.execute(THERE, database="ledger")
    with a_browser(installation, "admin") as ask:
        walk(left, lambda method, path, data=None: ask(method, path.removeprefix("/"), data=data),
             {"number": number, "batch_id": batch, "run_id": run_number})  # fmt: skip
    return left


def lines_of(installation, database, tables=None):
    """Every row of these tables, or of all there are, with what is packed in it unpacked."""
    every = "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.tables"
    every += " WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
    for table in tables or [name for (name,) in installation.postgres.execute(every, database=database)]:
        statement = f"SELECT CAST(to_jsonb(line) AS text) FROM {table} AS line"
        for (row,) in installation.postgres.execute(statement, database=database):
            yield table, row.encode()
            for packed in BYTES.findall(row):
                content = bytes.fromhex(packed)
                yield table, content
                with suppress(zlib.error):
                    yield table, zlib.decompress(content)


def test_airflows_database_names_no_reader(installation, everything_was_done):
    left, tables = Left(), set()
    for table, content in lines_of(installation, "airflow"):
        left.keep(table, content)
        tables.add(table.removeprefix("public."))
    assert {"xcom", "log", "dag_run", "hitl_detail", "dag_run_note", "task_instance"} <= tables
    assert left.personal() == []


def test_tables_of_the_ledger_that_are_said_to_name_nobody_do_not(installation, everything_was_done):
    left = Left()
    for table, content in lines_of(installation, "ledger", WITHOUT_READERS):
        left.keep(table, content)
    assert left.said
    assert left.personal() == []


def test_no_file_names_a_reader_by_its_name_nor_any_log_in_it(installation, everything_was_done):
    left, logs = Left(), 0
    for path in installation.folder.rglob("*"):
        name = path.relative_to(installation.folder).as_posix()
        left.keep("a name", name)
        if path.is_file() and not name.startswith(ABOUT_READERS):
            left.keep(name, path.read_bytes())
            logs += name.endswith(".log")
    assert logs > 20
    assert left.personal() == []


def test_addresses_and_headers_of_pages_name_no_reader(everything_was_done):
    assert everything_was_done.said
    assert everything_was_done.personal() == []


def test_the_readers_were_really_there(installation, everything_was_done):
    sent = [path.read_bytes() for path in installation.mail.glob("*.eml")]
    assert sum(bool(found(content)) for content in sent) > 10
    assert any(found(line) for _, line in lines_of(installation, "ledger", ["readers"]))
    assert any(found(path.read_bytes()) for path in installation.letters.rglob("destinataires.csv"))
    assert found(installation.sms.read_bytes())
    refused = "SELECT count(*) FROM deliveries WHERE recipient LIKE 'qxzvkw%' AND state = 'refused'"
    assert installation.postgres.execute(refused, database="ledger") != [(0,)]
