"""What a source of loans is, whatever the engine of the database: each test runs on all three."""

from __future__ import annotations

import traceback

import pytest

from loan_reminders.domain.errors import IlsRejected
from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.gateways.runs.ils_database import Engine
from tests.scenes.ils_engines import DUE, KEYS, SQL, TODAY, ask, assert_no_session_left, loans, read, source

REFUSED_WRITE = {Engine.ORACLE: "ORA-01456", Engine.POSTGRESQL: "25006", Engine.MARIADB: "1792|1142"}
NO_TABLE = {Engine.ORACLE: "ORA-00942", Engine.POSTGRESQL: "42P01", Engine.MARIADB: "1146|1142"}
NO_COLUMN = {Engine.ORACLE: "ORA-00904", Engine.POSTGRESQL: "42703", Engine.MARIADB: "1054"}


def test_every_loan_of_the_day_comes_as_it_is_held(ils):
    ils.execute(loans("900", due_ymd="20260304"))
    found = read(ils)
    assert [row.loan_id for row in found] == list(KEYS)
    assert {(row.due_date, row.loan_date.isoformat(), row.renewal_count) for row in found} == {(DUE, "2026-02-10", 1)}
    first = found[0]
    assert (first.title, first.patron.name) == ("L'été à 100 % : « 001 »", "Zoé Dupont")
    assert first.patron.email.value == "zoe.dupont001@etu.example.org"
    assert_no_session_left(ils)


def test_the_ids_alone_are_those_of_the_same_loans(ils):
    assert list(source(ils, array_size=7).loan_ids_due(DUE, today=TODAY)) == list(KEYS)


def test_the_size_of_a_fetch_changes_nothing(ils):
    assert read(ils, array_size=7) == read(ils, array_size=40) == read(ils)


def test_a_day_without_loans_gives_an_empty_stream(ils):
    assert list(source(ils).loans_due(DUE.replace(year=1999), today=TODAY)) == []


def test_a_range_of_moments_finds_the_day_whatever_the_hour(ils):
    """`due_from` to `due_to`, for due dates that are moments: a loan due at midnight is of the day that begins."""
    moments = ("'2026-03-02 23:59:59'", "'2026-03-03 00:00:00'", "'2026-03-03 14:00:00'", "'2026-03-04 00:00:00'")
    ils.execute("DELETE FROM open_loans", *(loans(str(hour), due_date=moment) for hour, moment in enumerate(moments)))
    due_date = "SUBSTR(due_date, 1, 19)" if ils.engine is Engine.ORACLE else "due_date"  # SQLite holds it as text
    sql = SQL.replace("due_ymd = :due_ymd", f"{due_date} >= :due_from AND {due_date} < :due_to")
    assert [row.loan_id for row in read(ils, sql=sql)] == ["1", "2"]


def test_an_abandoned_stream_closes_its_connection(ils):
    rows = source(ils, array_size=10).loans_due(DUE, today=TODAY)
    assert isinstance(next(rows), Loan)
    assert ils.sessions() == 1
    rows.close()
    assert_no_session_left(ils)


def test_a_renewed_loan_and_a_returned_one_are_told_apart(ils):
    ils.execute(
        "UPDATE open_loans SET due_date = '2026-05-01 23:59:00' WHERE loan_key = '002'",
        "DELETE FROM open_loans WHERE loan_key = '003'",
    )
    found = source(ils).due_dates_now(["001", "002", "003", "404", *KEYS])
    assert len(found) == len(KEYS) - 1
    assert (found["001"], found["002"].isoformat()) == (DUE, "2026-05-01")
    assert not {"003", "404"} & found.keys()
    assert_no_session_left(ils)


def test_many_loans_are_asked_about_in_several_questions(ils):
    unknown = [f"x{number}" for number in range(150)]
    assert source(ils).due_dates_now([*unknown, *KEYS]) == dict.fromkeys(KEYS, DUE)


WRITES = [
    "DELETE FROM open_loans",
    "UPDATE open_loans SET title = 'x'",
    loans("999"),
]


@pytest.mark.parametrize("statement", WRITES)
def test_nothing_can_be_written_through_the_connection_that_reads(ils, statement):
    with (
        pytest.raises(IlsRejected, match=REFUSED_WRITE[ils.engine]),
        ils.database().session() as session,
    ):
        session.execute(statement)
    assert ils.count() == len(KEYS)
    assert_no_session_left(ils)


def test_a_second_statement_behind_the_first_is_not_even_sent(ils):
    """It could end the read-only transaction and begin another."""
    for sql in ("SELECT 1 FROM open_loans; COMMIT; DELETE FROM open_loans", "COMMIT ; DELETE FROM open_loans -- ;"):
        with pytest.raises(IlsRejected, match="plusieurs instructions"):
            ask(ils, sql)
    assert ils.count() == len(KEYS)


def test_another_question_ends_the_answer_before_it(ils):
    with ils.database(array_size=5).session() as session:
        assert session.server_version
        assert len(session.execute("SELECT title FROM open_loans ORDER BY loan_key").fetchmany()) == 5
        answer = session.execute("SELECT loan_key FROM open_loans WHERE loan_key = :wanted", {"wanted": "007"})
        assert (answer.columns, [tuple(row) for row in answer.fetchmany()]) == (("loan_key",), [("007",)])
        assert not answer.fetchmany()


@pytest.mark.parametrize(
    ("text", "instead", "told"),
    [
        ("price_text\n", "price_text AS price\n", "ne rend pas les colonnes : price_text. Corriger"),
        (":due_ymd", ":due_day", "binds sans valeur : due_day. Corriger"),
        ("title,", "nope,", "cette colonne|nope"),
        ("FROM open_loans", "FROM closed_loans", "table ou vue|un droit sur cette table"),
        ("WHERE due", "WHERE WHERE due", "ORA-00933|42601|1064"),
    ],
)
def test_a_statement_the_server_or_the_contract_refuses_is_permanent(ils, text, instead, told):
    sql = SQL.replace(text, instead)
    assert sql != SQL
    with pytest.raises(IlsRejected, match=told):
        read(ils, sql=sql)
    assert_no_session_left(ils)


def test_a_missing_table_or_column_is_told_with_its_code(ils):
    with pytest.raises(IlsRejected, match=f"({NO_TABLE[ils.engine]}), .*(?i:closed_loans)"):
        read(ils, sql=SQL.replace("FROM open_loans", "FROM closed_loans"))
    with pytest.raises(IlsRejected, match=f"{NO_COLUMN[ils.engine]}, .*(?i:nope)"):
        read(ils, sql=SQL.replace("title,", "nope,"))


def test_two_hundred_rows_for_one_loan_refuse_the_run_and_name_the_loan(ils):
    """A join that is wrong: the loans before it were handed on, but nobody is told before the whole day is read."""
    ils.execute(loans("003", *["017"] * 199))
    rows = source(ils, array_size=50).loans_due(DUE, today=TODAY)
    with pytest.raises(IlsRejected, match=r"un même prêt : 017 \(200 lignes\), 003 \(2 lignes\)\. Aucun avis") as error:
        for _ in rows:
            pass
    assert "Dupont" not in "".join(traceback.format_exception(error.value))
    with pytest.raises(IlsRejected, match=r"017 \(200 lignes\)"):
        list(source(ils).loan_ids_due(DUE, today=TODAY))
    assert_no_session_left(ils)


def test_a_few_loans_that_come_again_stop_nobody(ils):
    """The rows are handed on as they come: the ledger sets the second one of a loan aside, with its reason."""
    ils.execute(loans("003", "005", *["017"] * 8))
    assert sorted(row.loan_id for row in read(ils)) == sorted([*KEYS, "003", "005", *["017"] * 8])


def test_many_loans_in_several_rows_are_counted_and_five_are_named(ils):
    ils.execute("INSERT INTO open_loans SELECT * FROM open_loans")
    with pytest.raises(IlsRejected, match=r"001 \(2 lignes\), .*005 \(2 lignes\), et 35 autres prêts\."):
        read(ils)


@pytest.mark.parametrize(
    ("column", "expression", "code"),
    [
        ("loan_date", "NULL", "missing"),
        ("patron_id", "'  '", "missing"),
        ("renewal_count", "-1", "not_a_number"),
    ],
)
def test_rows_that_cannot_be_read_come_as_rejected_rows(ils, column, expression, code):
    ils.execute("DELETE FROM open_loans WHERE loan_key > '020'", loans("500", **{column: expression}))
    found = read(ils)
    (rejected,) = [row for row in found if isinstance(row, RejectedRow)]
    assert (rejected.loan_id, rejected.code, rejected.column, len(found)) == ("500", code, column, 21)


def test_rows_without_a_key_are_set_aside_and_are_no_rows_of_one_loan(ils):
    ils.execute(loans("A", "B", patron_id="'{key}'", loan_key="NULL"))
    found = [row for row in read(ils) if isinstance(row, RejectedRow)]
    assert sorted((row.patron_id, row.code, row.column) for row in found) == [
        ("A", "missing", "loan_key"),
        ("B", "missing", "loan_key"),
    ]


def test_a_number_where_a_text_is_expected_is_read_as_one(ils):
    sql = SQL.replace("patron_status,", "42 AS patron_status,").replace("item_barcode,", "300012 AS item_barcode,")
    assert {row.item_barcode for row in read(ils, sql=sql)} == {"300012"}
