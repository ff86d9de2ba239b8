"""A ledger of many years: rows of every table, and statistics that say two million of them.

Eight thousand rows are there, in true proportions; what PostgreSQL notes of their number is multiplied. Its planner
then chooses as it would for two million (PostgreSQL manual, pg_class: `reltuples`), in seconds and not in minutes. A
whole table costs it less than it really would, since there are fewer pages: the judgement is on the strict side.
"""

from __future__ import annotations

from tests.simulators.postgres import EmbeddedPostgres

ROWS, BELIEVED, RUNS = 8_000, 2_000_000, 1_600
LARGE = (
    "loans_seen", "skips", "notices", "deliveries", "delivery_loans", "receipts", "sent_words", "sms_acks",
    "sms_replies", "mail_bounces", "letters", "registered_letters", "letter_events", "suppressions", "put_aside",
    "journal", "corrections", "readers",
)  # fmt: skip
"""The tables that grow with every day."""

_DISTINCT = (
    *((table, "run_id", RUNS) for table in ("loans_seen", "skips", "notices", "deliveries")),
    *((table, "patron_id", 50_000) for table in ("loans_seen", "skips", "notices")),
    *((table, "loan_id", -0.2) for table in ("loans_seen", "skips", "delivery_loans")),
    *((table, "due_date", RUNS) for table in ("loans_seen", "skips", "notices", "delivery_loans")),
    *((table, "batch_id", RUNS) for table in ("letters", "letter_events", "deliveries")),
    ("deliveries", "recipient", 50_000),
    ("deliveries", "campaign_id", RUNS),
    ("mail_bounces", "recipient", 50_000),
    ("registered_letters", "posted_on", RUNS),
)
_SERIES = f"generate_series(1, {ROWS}) AS i"
_RUN, _ID = f"1 + i % {RUNS}", "CAST(md5('old ' || i) AS uuid)"
_DAY = f"date '2026-11-01' - i % {RUNS} / 5"
_AT = f"timestamptz '2026-11-01 10:00Z' - (i % {RUNS} / 5) * interval '1 day'"
_STAGE = (
    "(ARRAY['courtesy_notice', 'overdue_notice', 'first_reminder', 'second_reminder', 'registered_letter'])[1 + i % 5]"
)
_CHANNEL = "(ARRAY['email', 'sms', 'letter', 'email', 'registered_letter'])[1 + i % 5]"
_PATRON = "'OLD' || i % 2000"
_RECORD = (
    "jsonb_build_object('loan_id', 'OLD' || i / 5, 'item_barcode', 'OLD' || i / 5, 'patron',"
    f" jsonb_build_object('patron_id', {_PATRON}, 'barcode', 'B' || i % 2000,"
    " 'name', 'Lecteur', 'category', 'student'))"
)
_RECIPIENT = (
    'CASE i % 5 WHEN 1 THEN \'3361\' || lpad(CAST(i % 2000 AS text), 7, \'0\') WHEN 2 THEN \'{"lines": ["A", "B", "C"],'
    ' "postcode": "06000"}\' WHEN 4 THEN \'{"lines": ["A", "B", "C"], "postcode": "06000"}\''
    " ELSE 'old' || i % 2000 || '@example.fr' END"
)

_FILL = (
    "INSERT INTO runs (library, stage, reference_date, due_date, today, dag_run_id, attempt, dry_run, state,"
    " loans_extracted, deliveries_planned, balanced, started_at, planned_at, closed_at)"
    f" SELECT 'demo', {_STAGE}, {_DAY}, {_DAY} - 1, {_DAY}, 'old ' || i, 1, false, 'closed', 5, 5, true, {_AT}, {_AT},"
    f" {_AT} FROM generate_series(0, {RUNS} - 1) AS i",
    f"INSERT INTO counted_runs (run_id, library) SELECT run_id, 'demo' FROM runs WHERE run_id <= {RUNS} - 50",
    "INSERT INTO letter_batches (library, run_id, name, kind, state, pdf, csv, letters, pages, sha256, printed_at)"
    " SELECT 'demo', run_id, 'old ' || run_id, 'registered_letter', 'printed', 'p', 'c', 5, 5, '', started_at"
    " FROM runs",
    "INSERT INTO loans_seen (run_id, loan_id, due_date, library, patron_id, seq, record)"
    f" SELECT {_RUN}, 'OLD' || i / 5, {_DAY}, 'demo', {_PATRON}, i, {_RECORD} FROM {_SERIES}",
    "INSERT INTO skips (library, run_id, loan_id, due_date, patron_id, reason)"
    f" SELECT 'demo', {_RUN}, 'OLD' || i / 5, {_DAY}, {_PATRON}, 'not_eligible' FROM {_SERIES}",
    "INSERT INTO notices (notice_id, library, run_id, stage, patron_id, due_date, language, loan_ids)"
    f" SELECT {_ID}, 'demo', {_RUN}, {_STAGE}, {_PATRON}, {_DAY}, 'fr', ARRAY['OLD' || i / 5] FROM {_SERIES}",
    "INSERT INTO deliveries (delivery_id, library, run_id, notice_id, stage, channel, slot, recipient, state, attempts,"
    " claimed_at, answered_at, provider_id, campaign_id, segments, batch_id)"
    f" SELECT {_ID}, 'demo', {_RUN}, {_ID}, {_STAGE}, {_CHANNEL}, CASE i % 5 WHEN 1 THEN 'sms' ELSE 'written' END,"
    f" {_RECIPIENT}, 'accepted', 1, {_AT}, {_AT}, 'old ' || i, 'old ' || {_RUN}, 1, {_RUN} FROM {_SERIES}",
    "INSERT INTO delivery_loans (delivery_id, loan_id, due_date, library, stage, slot, live)"
    f" SELECT {_ID}, 'OLD' || i / 5, {_DAY}, 'demo', {_STAGE},"
    f" CASE i % 5 WHEN 1 THEN 'sms' ELSE 'written' END, i % 50 > 0 FROM {_SERIES}",
    "INSERT INTO receipts (library, delivery_id, at, state, provider_id, applied)"
    f" SELECT 'demo', {_ID}, {_AT}, 'accepted', 'old ' || i, true FROM {_SERIES}",
    f"INSERT INTO sent_words (delivery_id, library, body) SELECT {_ID}, 'demo', '' FROM {_SERIES}",
    "INSERT INTO sms_acks (library, fingerprint, phone_number, status, at, received_at, settled_at, delivery_id)"
    f" SELECT 'demo', 'old ' || i, '33610000000', 'delivered', {_AT}, {_AT}, {_AT},"
    f" CASE WHEN i % 50 > 0 THEN {_ID} END FROM {_SERIES}",
    "INSERT INTO sms_replies (library, reply_id, phone_number, text, at, received_at, settled_at, to_read)"
    f" SELECT 'demo', 'old ' || i, '3361' || lpad(CAST(i AS text), 7, '0'), 'Bonjour', {_AT}, {_AT}, {_AT}, i % 100 = 0"
    f" FROM {_SERIES}",
    "INSERT INTO mail_bounces (library, fingerprint, kind, delivery_id, recipient, at, received_at, settled_at)"
    f" SELECT 'demo', 'old ' || i, 'soft', {_ID}, 'old' || i % 2000 || '@example.fr', {_AT}, {_AT}, {_AT}"
    f" FROM {_SERIES}",
    "INSERT INTO letters (delivery_id, library, batch_id, position, first_page, last_page, reference)"
    f" SELECT {_ID}, 'demo', {_RUN}, i, 1, 1, 'OLD-' || i FROM {_SERIES}",
    "INSERT INTO registered_letters (delivery_id, library, state, tracking_number, posted_on, acknowledged_on)"
    f" SELECT {_ID}, 'demo', 'acknowledged', '1B' || lpad(CAST(i AS text), 11, '0'), {_DAY}, {_DAY} FROM {_SERIES}",
    "INSERT INTO letter_events (library, batch_id, delivery_id, at, who, act)"
    f" SELECT 'demo', {_RUN}, {_ID}, {_AT}, 'zoé', 'posted' FROM {_SERIES}",
    "INSERT INTO suppressions (library, channel, recipient, reason, source, since, lifted_at)"
    f" SELECT 'demo', 'sms', '3361' || lpad(CAST(i AS text), 7, '0'), 'stop', 'reply', {_AT},"
    f" CASE WHEN i % 100 > 0 THEN {_AT} END FROM {_SERIES}",
    "INSERT INTO put_aside (library, kind, fingerprint, at)"
    f" SELECT 'demo', 'reply', 'old ' || i, {_AT} FROM {_SERIES}",
    "INSERT INTO journal (library, at, who, act, patron_id)"
    f" SELECT 'demo', {_AT}, 'qui ' || i % 20, (ARRAY['reader_seen', 'held', 'letter_posted'])[1 + i % 3], {_PATRON}"
    f" FROM {_SERIES} ORDER BY i DESC",
    "INSERT INTO corrections (library, patron_id, fault, since, failed_at, notices, suppression_id, settled_at)"
    f" SELECT 'demo', 'OLD' || i, 'stop', {_AT}, {_AT}, 1, i, CASE WHEN i % 100 > 0 THEN {_AT} END FROM {_SERIES}",
    "INSERT INTO readers (library, patron_id, card, name, name_words, trigrams, email, mobile, last_seen_on)"
    f" SELECT 'demo', 'OLD' || i, 'B' || i, said.name, ARRAY[said.name], ARRAY(SELECT substr('  ' || said.name || ' ',"
    " place, 3) FROM generate_series(1, length(said.name) + 1) AS place), 'old' || i || '@example.fr',"
    f" '3361' || lpad(CAST(i AS text), 7, '0'), {_DAY} FROM {_SERIES}"
    " CROSS JOIN LATERAL (SELECT translate(md5('name ' || i), '0123456789', 'ghijklmnop') AS name) AS said",
)  # fmt: skip


def grow_old(server: EmbeddedPostgres, database: str) -> None:
    """Fill an empty, migrated ledger of the library `demo`, and let its statistics speak of two million rows."""
    for statement in _FILL:
        server.execute(statement, database=database)
    for table, column, number in _DISTINCT:
        server.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET (n_distinct = {number})", database=database)
    for table in LARGE:
        server.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)", database=database)
    server.execute("ANALYZE", database=database)
    named = ", ".join(f"'{table}'::regclass" for table in LARGE)
    server.execute(
        f"UPDATE pg_class SET reltuples = reltuples * {BELIEVED // ROWS} WHERE oid IN ({named})"
        f" OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid IN ({named}))",
        database=database,
    )
