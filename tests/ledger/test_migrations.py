"""The tables: made, removed, made again, and the same as the program believes."""

from __future__ import annotations

import json
import threading
import uuid
import zlib
from datetime import date

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from loan_reminders.commands import migrate
from loan_reminders.domain.stages import Channel
from loan_reminders.ledger.address import from_text
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.marks.marks import PostgresMarks
from loan_reminders.ledger.schema import VERSION_TABLE
from loan_reminders.ledger.tables import SCHEMA_REVISION, metadata
from tests.scenes.builders import a_delivery
from tests.scenes.ledger_runs import planned, rows
from tests.simulators.postgres import EmbeddedPostgres

CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'reminders_alembic_version'
    ORDER BY 1, 2
"""
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE '%alembic%'"
COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name NOT LIKE '%alembic%' ORDER BY 1, 2
"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
FUNCTIONS = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"


def test_up_down_and_up_again(postgres_server: EmbeddedPostgres, empty_database: str) -> None:
    url = postgres_server.url(empty_database)
    assert migrate.current(url) is None
    migrate.upgrade(url)
    assert migrate.current(url) == SCHEMA_REVISION
    migrate.upgrade(url)
    migrate.downgrade(url, "base")
    assert migrate.current(url) is None
    assert postgres_server.execute(TABLES, database=empty_database) == [(VERSION_TABLE,)]
    assert postgres_server.execute(FUNCTIONS, database=empty_database) == []
    migrate.upgrade(url)
    assert migrate.current(url) == SCHEMA_REVISION


def test_the_program_needs_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(migrate.config()).get_heads() == [SCHEMA_REVISION]


def test_alembic_sees_no_drift(ledger_url: str) -> None:
    engine = create_engine(from_text(ledger_url))
    with engine.connect() as connection:
        options = {"version_table": VERSION_TABLE, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
    engine.dispose()


def test_the_closed_lists_of_the_database_are_those_of_the_program(
    postgres_server: EmbeddedPostgres, ledger_database: str, empty_database: str
) -> None:
    engine = create_engine(from_text(postgres_server.url(empty_database)))
    metadata.create_all(engine)
    engine.dispose()
    for query in (CONSTRAINTS, INDEXES, COLUMNS):
        migrated, believed = (
            sorted(postgres_server.execute(query, database=name), key=str) for name in (ledger_database, empty_database)
        )
        assert migrated == believed


def test_two_migrations_at_once_wait_for_each_other(postgres_server: EmbeddedPostgres, empty_database: str) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            migrate.upgrade(postgres_server.url(empty_database))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert migrate.current(postgres_server.url(empty_database)) == SCHEMA_REVISION


def test_the_second_migration_keeps_what_the_first_ledger_held_and_can_be_undone(
    postgres_server: EmbeddedPostgres, empty_database: str
) -> None:
    url = postgres_server.url(empty_database)
    migrate.upgrade(url, "0001")
    before = [sorted(postgres_server.execute(query, database=empty_database), key=str) for query in (INDEXES, COLUMNS)]
    for statement in (
        "INSERT INTO runs (library, stage, reference_date, due_date, today, dag_run_id, attempt, dry_run)"
        " VALUES ('demo', 'overdue_notice', '2026-11-27', '2026-11-26', '2026-11-27', 'r', 1, false)",
        "INSERT INTO notices (notice_id, library, run_id, stage, patron_id, due_date, language, loan_ids)"
        " VALUES (gen_random_uuid(), 'demo', 1, 'overdue_notice', 'P1', '2026-11-26', 'fr', '{L1}')",
        "INSERT INTO deliveries (delivery_id, library, run_id, notice_id, stage, channel, slot, recipient, state)"
        " SELECT gen_random_uuid(), 'demo', 1, notice_id, 'overdue_notice', 'sms', 'sms', '33639980001', 'cancelled'"
        " FROM notices",
    ):
        postgres_server.execute(statement, database=empty_database)
    migrate.upgrade(url)
    held = "SELECT state, reason, campaign_id FROM deliveries"
    assert postgres_server.execute(held, database=empty_database) == [("cancelled", None, "")]
    for statement in (
        "UPDATE deliveries SET reason = 'dead_number', campaign_id = 'ap_1'",
        "INSERT INTO skips (library, run_id, loan_id, patron_id, reason) VALUES ('demo', 1, 'L1', 'P1', 'dead_number')",
        "INSERT INTO suppressions (library, channel, recipient, reason, source, since)"
        " VALUES ('demo', 'sms', '33639980001', 'stop', 'reply', now())",
    ):
        postgres_server.execute(statement, database=empty_database)
    migrate.downgrade(url, "0001")
    assert migrate.current(url) == "0001"
    assert postgres_server.execute("SELECT reason FROM deliveries", database=empty_database) == [("not_approved",)]
    assert postgres_server.execute("SELECT reason FROM skips", database=empty_database) == [("opted_out",)]
    after = [sorted(postgres_server.execute(query, database=empty_database), key=str) for query in (INDEXES, COLUMNS)]
    assert after == before
    migrate.upgrade(url)
    assert migrate.current(url) == SCHEMA_REVISION


def test_a_question_that_waits_is_kept_over_an_upgrade_and_back(
    postgres_server: EmbeddedPostgres, empty_database: str
) -> None:
    """What Airflow alone knew was kept without what asks for it again: it is asked about until a person accepts."""
    url = postgres_server.url(empty_database)
    migrate.upgrade(url, "0025")
    mark = {"stage": "overdue_notice", "day": "2026-11-28", "known_by": "mark", "lost": {"email": 96}, "deliveries": 0}
    airflow = mark | {"known_by": "airflow", "lost": {}, "deliveries": 0}
    before = {"mark": None, "marked_at": None, "runs": [mark, airflow], "broken": []}
    insert = f"INSERT INTO gaps (library, facts) VALUES ('demo', '{json.dumps(before)}')"
    postgres_server.execute(insert, database=empty_database)
    migrate.upgrade(url)
    with connect(url, library="demo") as ledger:
        marks = ledger.part(PostgresMarks)
        asked = marks.open_gap()
        assert asked is not None
        assert [(run.day, run.lost) for run in asked.gap.runs] == [(date(2026, 11, 28), {Channel.EMAIL: 96})]
        [remembered] = asked.gap.remembered
        assert marks.lacks(remembered)
    migrate.downgrade(url, "0025")
    assert postgres_server.execute("SELECT facts FROM gaps", database=empty_database) == [(before,)]


def test_what_was_removed_and_told_is_not_told_again_by_the_program_before(
    postgres_server: EmbeddedPostgres, empty_database: str
) -> None:
    """A row a day again: of a day that was told in part it counts the rest, for that program tells a row as a whole."""
    url = postgres_server.url(empty_database)
    migrate.upgrade(url, "0025")
    postgres_server.execute(
        "INSERT INTO erasures (library, day, who, loans, readers, at, told_at) VALUES"
        " ('demo', '2026-11-27', 'relances', 200, 9, '2026-11-27 04:00Z', '2026-11-27 04:01Z'),"
        " ('demo', '2026-11-27', 'zoé', 2, 0, '2026-11-27 13:00Z', NULL),"
        " ('demo', '2026-11-27', 'chloé', 1, 0, '2026-11-27 12:00Z', NULL),"
        " ('demo', '2026-11-28', 'relances', 40, 4, '2026-11-28 04:00Z', '2026-11-28 04:01Z'),"
        " ('demo', '2026-11-28', 'chloé', 2, 1, '2026-11-28 12:00Z', '2026-11-28 12:01Z'),"
        " ('demo', '2026-11-29', 'relances', 7, 0, '2026-11-29 04:00Z', NULL),"
        " ('demo', '2026-11-29', 'chloé', 1, 0, '2026-11-29 12:00Z', NULL),"
        " ('nice', '2026-11-27', 'relances', 5, 0, '2026-11-27 04:00Z', NULL)",
        database=empty_database,
    )
    migrate.downgrade(url, "0024")
    utc = "to_char({0} AT TIME ZONE 'UTC', 'DD HH24:MI')"
    held = (
        f"SELECT library, to_char(day, 'DD'), loans, readers, {utc.format('at')}, {utc.format('told_at')}"
        " FROM erasures ORDER BY library, day"
    )
    assert postgres_server.execute(held, database=empty_database) == [
        ("demo", "27", 3, 0, "27 13:00", None),
        ("demo", "28", 42, 5, "28 12:00", "28 12:01"),
        ("demo", "29", 8, 0, "29 12:00", None),
        ("nice", "27", 5, 0, "27 04:00", None),
    ]


def test_what_a_trial_sent_before_is_found_again(postgres_server: EmbeddedPostgres, empty_database: str) -> None:
    url = postgres_server.url(empty_database)
    migrate.upgrade(url, "0028")
    said = {
        "email": ("[Essai, pour camille@etu.example.fr] Retard", "Bonjour"),
        "sms": ("", "(Essai, pour 33639980001) Retard"),
        "letter": None,
    }
    statements = [
        "INSERT INTO runs (library, stage, reference_date, due_date, today, dag_run_id, attempt, dry_run)"
        " VALUES ('demo', 'first_reminder', '2026-11-27', '2026-11-19', '2026-11-27', 'r', 1, false)",
        "INSERT INTO notices (notice_id, library, run_id, stage, patron_id, due_date, language, loan_ids)"
        " VALUES (gen_random_uuid(), 'demo', 1, 'first_reminder', 'P1', '2026-11-19', 'fr', '{L1}')",
        "INSERT INTO counted_runs (run_id, library) VALUES (1, 'demo')",
    ]
    for batch_id, name in enumerate(("essai/lot-1", "lot-1", "a-valider/essai/lot-1"), start=1):
        statements.append(
            "INSERT INTO letter_batches (library, run_id, name, pdf, csv, letters, pages, sha256)"
            f" VALUES ('demo', 1, '{name}', '', '', 1, 1, '')"
        )
        for channel, words in said.items():
            of = uuid.uuid5(uuid.NAMESPACE_URL, f"{channel}{batch_id}")
            statements.append(
                "INSERT INTO deliveries"
                " (delivery_id, library, run_id, notice_id, stage, channel, slot, recipient, state)"
                f" SELECT '{of}', 'demo', 1, notice_id, 'first_reminder', '{channel}', 'written', '{name}', 'accepted'"
                " FROM notices"
            )
            if words is None:
                statements.append(
                    "INSERT INTO letters (delivery_id, library, batch_id, position, first_page, last_page, reference)"
                    f" VALUES ('{of}', 'demo', {batch_id}, 1, 1, 1, 'R')"
                )
            else:
                subject, text = words if name.startswith("essai/") else ("Retard" if words[0] else "", "Retard")
                body = zlib.compress(text.encode()).hex()
                statements.append(
                    "INSERT INTO sent_words (delivery_id, library, subject, body)"
                    f" VALUES ('{of}', 'demo', '{subject}', '\\x{body}')"
                )
    for statement in statements:
        postgres_server.execute(statement, database=empty_database)
    postgres_server.execute("UPDATE letter_batches SET state = 'draft' WHERE batch_id = 3", database=empty_database)
    migrate.upgrade(url, "0029")
    trial = postgres_server.execute("SELECT trial FROM letter_batches ORDER BY batch_id", database=empty_database)
    assert trial == [(True,), (False,), (True,)]
    found = postgres_server.execute(
        "SELECT channel, recipient FROM deliveries WHERE redirected ORDER BY 1", database=empty_database
    )
    assert found == [("email", "essai/lot-1"), ("letter", "essai/lot-1"), ("sms", "essai/lot-1")]
    assert postgres_server.execute("SELECT run_id FROM counted_runs", database=empty_database) == []


def test_books_of_removed_trials_are_not_left_to_the_program_before(
    postgres_server: EmbeddedPostgres, empty_database: str
) -> None:
    """It knows no such measure, and could close none of these runs again."""
    url = postgres_server.url(empty_database)
    migrate.upgrade(url)
    for statement in (
        "INSERT INTO runs (library, stage, reference_date, due_date, today, dag_run_id, attempt, dry_run)"
        " VALUES ('demo', 'first_reminder', '2026-11-27', '2026-11-19', '2026-11-27', 'r', 1, false)",
        "INSERT INTO removed_books (library, run_id, measure, kind, number)"
        " VALUES ('demo', 1, 'redirected', '', 3), ('demo', 1, 'notices', '', 3)",
    ):
        postgres_server.execute(statement, database=empty_database)
    migrate.downgrade(url, "0028")
    assert postgres_server.execute("SELECT measure FROM removed_books", database=empty_database) == [("notices",)]


def test_what_a_person_stopped_is_not_sent_by_the_older_program(
    postgres_server: EmbeddedPostgres, empty_database: str
) -> None:
    """It would offer an e-mail in doubt to a sender, whatever the reason."""
    url = postgres_server.url(empty_database)
    migrate.upgrade(url)
    with connect(url, library="demo") as ledger:
        planned(ledger, [a_delivery(channel=Channel.EMAIL)])
        for state, reason in (("claimed", None), ("in_doubt", "ledger_incomplete")):
            rows(ledger, "UPDATE deliveries SET state = :state, reason = :reason", state=state, reason=reason)
    migrate.downgrade(url, "0025")
    told = postgres_server.execute("SELECT state, reason FROM deliveries", database=empty_database)
    assert told == [("cancelled", "not_approved")]
