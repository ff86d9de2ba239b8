"""H2, a database of another house, in its Oracle mode: our own script for Oracle loads, and the rows agree.

One JVM for all of it, in a process of its own.
"""

from __future__ import annotations

import re

import pytest

from loan_reminders.domain.loans import Loan
from loan_reminders.gateways.runs.binds import together, values_named
from loan_reminders.gateways.runs.statements import final_text
from loan_reminders.settings.ils_systems import AlephSettings, VoyagerSettings
from sql.demo.oddities import STAGE_DAYS
from sql.demo.oracle_script import write_script
from sql.demo.tables import Library
from tests.scenes.aleph import SQL_FOLDER, TODAY, due_day
from tests.scenes.sources import BIRTHS_ASKED, SOURCES, in_order, on_sqlite, told
from tests.simulators import h2

pytestmark = pytest.mark.skipif(bool(h2.missing()), reason=h2.missing() or "H2 is there")
STAGES = tuple(STAGE_DAYS)
ONE = {"loan_key": "1", "loan_number": "1", "loan_key_as_number": 1}
OTHER_FORMS = {
    "aleph": AlephSettings(due_date="Z36_EFFECTIVE_DUE_DATE", sms_number=False).choices() | BIRTHS_ASKED,
    "voyager": VoyagerSettings(sms_number=False).choices() | BIRTHS_ASKED,
}
NOW, OTHER_DUE, OTHER_NOW, WRONG = -4, -3, -2, -1
"""Where the answers to the questions after those of the stages are."""


@pytest.fixture(scope="module")
def borrowed(library):
    """The library without the books that nobody has: half the script."""
    documents = {str(row[0])[:9] for row in library.rows["z36"]}
    links = [row for row in library.rows["z103"] if str(row[0])[5:14] in documents]
    records = {str(row[1])[5:14] for row in links}
    books = [row for row in library.rows["z13"] if row[0] in records]
    return Library(rows={**library.rows, "z103": links, "z13": books})


@pytest.fixture(scope="module")
def answers(borrowed, tmp_path_factory):
    """Of each source the rows of every stage, and of the present dates of its overdue loans and of two that are not."""
    folder = tmp_path_factory.mktemp("h2")
    jobs = []
    for kind, source in SOURCES.items():
        script, system = folder / f"{kind}.sql", source.system
        write_script(script, system.schema, system.rows(borrowed, TODAY), views=system.view_statements())
        now, offered = together(source.now_sql, ids(source, borrowed))
        questions = [{"sql": source.due_sql, "binds": source.values(due_day(stage))} for stage in STAGES]
        questions.append({"sql": now, "binds": values_named(now, {**source.binds, **offered})})
        questions += [
            {
                "sql": final_text(read(kind, name), OTHER_FORMS.get(kind)),
                "binds": {**source.values(due_day("C")), **source.binds, **ONE},
            }
            for name in ("loans_due", "loan_now")
        ]
        wrong = source.now_sql.replace("AS due_date", "AS due_date, no_such_column AS x")
        questions.append({"sql": wrong, "binds": {**source.binds, **ONE}, "may_fail": 1})
        jobs.append({"script": str(script), "questions": questions})
    return dict(zip(SOURCES, h2.ask(jobs), strict=True))


def read(kind, name):
    return (SQL_FOLDER / kind / f"{name}.sql").read_text(encoding="utf-8")


def ids(source, library):
    loans = [one for one in source.expected(library, due_day("O")) if isinstance(one, Loan)][:60]
    return [loan.loan_id for loan in loans] + ["999999999999999-1" if source.kind == "aleph" else "999999"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("kind", SOURCES)
def test_the_rows_are_the_golden_loans(answers, borrowed, kind, stage):
    rows = answers[kind][STAGES.index(stage)]
    assert in_order(told(row) for row in rows) == SOURCES[kind].expected(borrowed, due_day(stage))


@pytest.mark.parametrize("kind", SOURCES)
def test_and_as_written_they_are_those_of_sqlite(answers, borrowed, tmp_path, kind):
    """Which are those of the wire: tests/gateways/runs/test_oracle_sources.py."""
    source = SOURCES[kind]
    source.write(tmp_path / "library.db", borrowed)
    for place, stage in enumerate(STAGES):
        expected = on_sqlite(tmp_path / "library.db", source, due_day(stage))
        assert len(expected) > 3
        assert [spelt(row) for row in answers[kind][place]] == [spelt(row) for row in expected]


def spelt(row):
    """A moment with a blank between day and time, as SQLite keeps it."""
    return {
        name: re.sub(r"^(\d{4}-\d\d-\d\d)T", r"\1 ", value) if isinstance(value, str) else value
        for name, value in row.items()
    }


@pytest.mark.parametrize("kind", SOURCES)
def test_many_loans_asked_about_at_once_are_told(answers, borrowed, kind):
    asked = ids(SOURCES[kind], borrowed)
    found = answers[kind][NOW]
    assert sorted(row["place"] for row in found) == list(range(len(asked) - 1))
    day = due_day("O")
    assert {str(row["due_date"])[:10] for row in found} <= {f"{day:%Y%m%d}", f"{day}"}


@pytest.mark.parametrize("kind", SOURCES)
def test_the_other_forms_that_a_site_may_choose_run_too(answers, kind):
    """The effective due dates are the due dates, so that nothing differs but the SMS numbers and the birth dates."""
    usual, other = answers[kind][STAGES.index("C")], answers[kind][OTHER_DUE]
    births = {row.pop("birth_date", "unasked") for row in other}
    assert births == {"unasked"} if kind == "view" else len(births) > 3
    assert kind == "view" or {row["phone_sms"] for row in other} == {None} != {row["phone_sms"] for row in usual}
    assert [{**row, "phone_sms": None} for row in usual] == [{**row, "phone_sms": None} for row in other]
    assert len(answers[kind][OTHER_NOW]) == (0 if kind == "aleph" else 1)


@pytest.mark.parametrize("kind", SOURCES)
def test_it_does_refuse_what_is_wrong(answers, kind):
    assert "NO_SUCH_COLUMN" in answers[kind][WRONG][0]["error"]
