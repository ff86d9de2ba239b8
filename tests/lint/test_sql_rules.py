"""The judges of the statements: each fault that was planted is found, and the statements as they are have none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loan_reminders.domain.runs.extraction import COLUMNS
from loan_reminders.gateways.runs.statements import final_text, offered
from tests.lint.__main__ import ROOT
from tests.lint.sql_engines import MARIADB, ORACLE, POSTGRESQL
from tests.lint.sql_rules import faults
from tests.lint.statements import KINDS, sqlfluff_faults, texts, unsound_statements

LAST = "ORDER BY loan.rec_key, loan.loan_number"


def of(kind, engine, sql=None):
    text = next(one for one in texts(ROOT) if one.where.startswith(f"sql/{kind}/loans_due") and one.engine is engine)
    return faults(text.sql if sql is None else sql, engine, binds=text.binds, columns=text.columns)


def planted(kind, text, instead):
    sql = final_text((ROOT / "sql" / kind / "loans_due.sql").read_text(encoding="utf-8"))
    assert text in sql
    return sql.replace(text, instead, 1)


@pytest.mark.parametrize(
    ("text", "instead", "told"),
    [
        # not one SELECT
        (LAST, f"{LAST};", "; at line"),
        (LAST, f"{LAST}; SELECT 1 FROM z36", "not one SELECT"),
        ("SELECT loan.rec_key", "WITH x AS (SELECT 1 AS a FROM z36) SELECT loan.rec_key", "with_ in a SELECT"),
        (LAST, "UNION ALL SELECT 1 AS loan_key FROM z36", "not one SELECT"),
        ("SELECT loan.rec_key", "DELETE FROM z36 -- ", "cannot be read"),
        ("SELECT loan.rec_key", "SELECT DISTINCT loan.rec_key", "distinct in a SELECT"),
        # other engines' ways to count rows
        (LAST, f"{LAST} LIMIT 10", "limit in a SELECT"),
        (LAST, f"{LAST} FETCH FIRST 10 ROWS ONLY", "construct Fetch"),
        (LAST, f"{LAST} OFFSET 5 ROWS", "offset in a SELECT"),
        ("COALESCE(z36.z36_returned_date, 0) = 0", "ROWNUM < 10", "ROWNUM"),
        # values that are not the same everywhere
        ("TRIM(z36.z36_status) IN", "z36.z36_lost = TRUE AND TRIM(z36.z36_status) IN", "construct Boolean"),
        ("z304.z304_date_to >= :today_ymd", "z304.z304_date_to >= SYSDATE", "SYSDATE"),
        ("z304.z304_date_to >= :today_ymd", "z304.z304_date_to >= CURRENT_DATE", "CurrentDate"),
        ("= :card_type", "= ''", "the empty text"),
        ("LENGTH(TRIM(z304.z304_email_address)) > 0", "z304.z304_email_address = NULL", "comparison with NULL"),
        ("COALESCE(z36.z36_no_renewal, 0)", "z36.z36_no_renewal / 2", "a division"),
        ("CAST(NULL AS VARCHAR(100))", "CAST(NULL AS VARCHAR)", "without its length"),
        ("CAST(NULL AS VARCHAR(100))", "CAST(NULL AS TEXT)", "cast to"),
        ("CAST(NULL AS VARCHAR(100))", "NULL::text", ":: at line"),
        ("TRIM(z30.z30_price)", "loan.due_date > 0", "a comparison as a value"),
        (
            "WHERE z308.z308_id = due.patron_key",
            "WHERE z308.z308_status AND z308.z308_id = due.patron_key",
            "a value inst",
        ),
        ("= :card_type", "== :card_type", "== at line"),
        # functions and constructs off the list
        ("COALESCE(z36.z36_no_renewal", "NVL(z36.z36_no_renewal", "function NVL"),
        ("COALESCE(z36.z36_no_renewal", "IFNULL(z36.z36_no_renewal", "function IFNULL"),
        ("MIN(z308.z308_rec_key)", "LISTAGG(z308.z308_rec_key)", "function LISTAGG"),
        ("= :due_ymd", "= TO_NUMBER(:due_ymd)", "function TO_NUMBER"),
        ("TRIM(z13.z13_title)", "CONCAT(z13.z13_title, z13.z13_author)", "function CONCAT"),
        ("TRIM(z13.z13_title)", "RTRIM(z13.z13_title)", "function RTRIM"),
        ("= :card_type", "LIKE '01%'", "construct Like"),
        ("= :card_type", "ILIKE '01'", "construct ILike"),
        ("TRIM(z30.z30_price) ", "z30.* ", "construct Star"),
        # joins
        ("LEFT JOIN z30\n", "NATURAL JOIN z30\n", "another join"),
        ("LEFT JOIN z30\n", "FULL OUTER JOIN z30\n", "another join"),
        ("LEFT JOIN z30\n         ON z30.z30_rec_key = loan.rec_key", "CROSS JOIN z30", "another join"),
        ("FROM z308\n", "FROM z308, z36\n", "a join without ON"),
        ("z30.z30_rec_key = loan.rec_key", "z30.z30_rec_key(+) = loan.rec_key", "(+) at line"),
        ("LEFT JOIN z304 home", "LEFT JOIN LATERAL (SELECT z304.z304_zip FROM z304) home", "construct Lateral"),
        # names
        ("LEFT JOIN z304 home", "LEFT JOIN z304 AS home", "AS before the alias"),
        ("due) loan", "due) AS loan", "AS before the alias"),
        ("FROM z36\n", "FROM z36 AS z36\n", "AS before the alias"),
        ("AS price_text", 'AS "price_text"', "a quoted name"),
        ("AS price_text", "AS price_text,", "comma before FROM"),
        ("AS price_text", "AS price", "columns are not those"),
        ("AS price_text", "AS date", "date"),
        ("AS price_text", "AS level", "reserved word level"),
        ("LEFT JOIN z304 mail", "LEFT JOIN z304 mode", "mode"),
        ("due.patron_key,", "due.patron_key, due.patron_key AS the_first_of_several_patron_keys,", "longer than 30"),
        # binds
        (":due_ymd", ":date", "date"),
        (":due_ymd", ":size", "reserved word size as a bind"),
        (":due_ymd", ":1", "bind"),
        (":due_ymd", "?", "? at line"),
        (":due_ymd", ":due_day", "due_day is not declared"),
        (":due_ymd", "20260301", "due_ymd is not used"),
        # order and hints
        (LAST, "ORDER BY loan.rec_key DESC", "DESC without NULLS LAST"),
        (LAST, "ORDER BY loan.rec_key DESC NULLS FIRST", "DESC without NULLS LAST"),
        ("SELECT loan.rec_key", "SELECT /*+ FULL(z36) */ loan.rec_key", "a comment that a server obeys"),
        ("FROM z36\n", "FROM z36 WHERE WHERE\n", "cannot be read"),
    ],
)
def test_a_fault_planted_in_a_statement_for_oracle_is_found(text, instead, told):
    found = of("aleph", ORACLE, planted("aleph", text, instead))
    assert any(told in fault for fault in found), found


@pytest.mark.parametrize(
    ("engine", "text", "instead", "told"),
    [
        (MARIADB, "loan.title ", "loan.title || loan.author ", "|| at line"),
        (MARIADB, "loan.title ", "CAST(loan.title AS VARCHAR(9)) ", "cast to"),
        (MARIADB, "loan.title ", "`loan`.title ", "a quoted name"),
        (MARIADB, "loan.title ", '"title" ', "a quoted name"),
        (MARIADB, "ORDER BY loan.loan_key", "ORDER BY loan.loan_key DESC NULLS LAST", "DESC with NULLS LAST"),
        (MARIADB, "SELECT loan.loan_key", "SELECT /*!50000 1, */ loan.loan_key", "a comment that a server obeys"),
        (MARIADB, "loan.title ", "ROW_NUMBER() OVER (ORDER BY loan.title) ", "ROW_NUMBER"),
        (MARIADB, "FROM reminders_loans loan", "FROM reminders_loans rank", "reserved word rank"),
        (POSTGRESQL, "loan.title ", "loan.title::varchar ", ":: at line"),
        (POSTGRESQL, "loan.title ", "CAST(loan.title AS CHAR(9)) ", "cast to"),
        (POSTGRESQL, "loan.title ", "CONCAT(loan.title, loan.author) ", "function CONCAT"),
        (POSTGRESQL, "ORDER BY loan.loan_key", "ORDER BY loan.loan_key DESC", "DESC without NULLS LAST"),
        (POSTGRESQL, "FROM reminders_loans loan", "FROM (SELECT x.a FROM x)", "an inline view without a name"),
        (POSTGRESQL, "FROM reminders_loans loan", "FROM reminders_loans user", "user"),
        (POSTGRESQL, "WHERE loan.due_date", "WHERE loan.title ILIKE 'x' AND loan.due_date", "construct ILike"),
    ],
)
def test_a_fault_planted_for_another_engine_is_found(engine, text, instead, told):
    found = of("view", engine, planted("view", text, instead))
    assert any(told in fault for fault in found), found


FORMS = {"aleph": 14, "koha": 7, "pmb": 13, "sierra": 5, "view": 13, "voyager": 5}
"""How many texts the files of a kind stand for: with each choice of the settings, other notices included."""


@pytest.mark.parametrize("kind", FORMS)
def test_the_statements_have_no_fault_in_any_form_that_the_settings_may_choose(kind):
    forms = [text for text in texts(ROOT) if text.where.startswith(f"sql/{kind}/")]
    assert len({text.sql for text in forms}) == FORMS[kind]
    assert [fault for fault in unsound_statements(ROOT) if f"sql/{kind}/" in fault] == []


def test_a_folder_without_an_engine_is_named(tmp_path: Path) -> None:
    for kind in [*KINDS, "unicorn"]:
        (tmp_path / "sql" / kind).mkdir(parents=True)
        for name in ("loans_due", "loan_now"):
            (tmp_path / "sql" / kind / f"{name}.sql").write_text("SELECT a.x AS due_date FROM a", encoding="utf-8")
    found = unsound_statements(tmp_path)
    assert "sql/unicorn: tests/lint/statements.py has no engine for it" in found
    assert any(fault.startswith("sql/view/loans_due.sql, for mariadb: the columns are not") for fault in found)


def test_sqlfluff_knows_oracles_grammar_and_takes_the_other_form_of_every_choice():
    first_form = re.compile(r"\b(?:Z36_DUE_DATE|present|known|unasked)\b")
    others = [text for text in texts(ROOT) if not text.as_it_stands and not first_form.search(text.where)]
    files = [path for path in (ROOT / "sql").glob("*/**/*.sql") if offered(path.read_text(encoding="utf-8"))]
    assert len({text.where for text in others}) == len(files) > 10
    for text in others:
        assert sqlfluff_faults(ROOT, text.sql, text.engine) == []


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT a.x AS y FROM a WHERE", "PRS"),
        ("SELECT a.x AS y FROM a QUALIFY 1 = 1", "PRS"),
        ("SELECT a.x AS y FROM a INNER JOIN b ON a.x = b.x WHERE z = 1", "RF02"),
        ("select a.x AS y FROM a", "CP01"),
        ("SELECT b.x AS y FROM a", "RF01"),
    ],
)
def test_sqlfluff_refuses_what_it_is_there_for(sql, told):
    assert any(told in fault for fault in sqlfluff_faults(ROOT, sql, ORACLE)), sqlfluff_faults(ROOT, sql, ORACLE)


def test_the_columns_of_the_contract_are_no_reserved_words_anywhere():
    from tests.lint.sql_engines import reserved_words

    for engine in (ORACLE, POSTGRESQL, MARIADB):
        assert not reserved_words(engine) & {*COLUMNS}
