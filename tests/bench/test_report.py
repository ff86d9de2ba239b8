"""The report of the benchmarks: what it keeps, what it divides, what it calls things."""

from __future__ import annotations

import json
import tomllib
from datetime import date

import pytest

from loan_reminders.settings.library_toml import ROOT, Settings
from tests.bench.__main__ import CASES
from tests.bench.bed import lift_caps
from tests.bench.report import NAMES, TARGETS, Figure, parts, save, table
from tests.bench.rows import LOANS_OF_TWENTY_READERS, Reach, contract_rows


def a_figure(name="generation", *, value=3000.0, baseline=2000.0):
    remarks, steps = ("said to people only",), ("41 % ledger/sender.py claim", "9 % domain/loans.py parse")
    return Figure(name=name, value=value, unit="notices/s", baseline=baseline, remarks=remarks, steps=steps)


def entries(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_an_entry_has_the_six_keys_and_no_other(tmp_path):
    save([a_figure()], tmp_path / "var" / "bench.json")
    expected = {"name": "generation", "value": 3000, "unit": "notices/s", "baseline": 2000, "ratio": 1.5}
    steps = ["41 % ledger/sender.py claim", "9 % domain/loans.py parse"]
    assert entries(tmp_path / "var" / "bench.json") == [expected | {"steps": steps}]


def test_figures_not_measured_this_time_keep_their_former_entries(tmp_path):
    path = tmp_path / "bench.json"
    save([a_figure("dag_parse", value=0.1, baseline=0.01), a_figure(value=1.0)], path)
    save([a_figure(value=5000.0)], path)
    assert [(entry["name"], entry["value"]) for entry in entries(path)] == [("generation", 5000), ("dag_parse", 0.1)]


def test_an_entry_that_somebody_else_wrote_stays(tmp_path):
    path = tmp_path / "bench.json"
    path.write_text('[{"name": "night_of_faults", "value": 1}]', encoding="utf-8")
    save([a_figure()], path)
    assert [entry["name"] for entry in entries(path)] == ["generation", "night_of_faults"]


@pytest.mark.parametrize(
    ("value", "baseline", "ratio"),
    [(3000.0, 2000.0, 1.5), (10.0, 40.0, 0.25), (1 / 3, 1.0, 0.3333), (12345.678, 1.0, 12350.0), (1.0, 0.0, 0.0)],
)
def test_the_ratio_is_that_of_the_numbers_shown(value, baseline, ratio):
    assert a_figure(value=value, baseline=baseline).ratio == ratio


@pytest.mark.parametrize(
    ("name", "value", "baseline", "verdict"),
    [
        ("generation", 3000.0, 1000.0, "met"),
        ("generation", 2999.0, 1000.0, "MISSED"),
        ("generation", 300.0, 100.0, "met"),
        ("dag_parse", 3.0, 0.1, "met"),
        ("dag_parse", 0.31, 0.01, "MISSED"),
        ("pages_p95", 301.0, 100.0, "MISSED"),
        ("pages_p95", 300.0, 10.0, "met"),
        ("pages_p95", 900.0, 300.0, "met"),
        ("first_page_size", 101.0, 1000.0, "MISSED"),
        ("first_page_size", 100.0, 1.0, "met"),
    ],
)
def test_the_verdict_is_on_the_ratio_whatever_the_machine(name, value, baseline, verdict):
    assert table([a_figure(name, value=value, baseline=baseline)]).splitlines()[2].endswith(verdict)


def test_no_target_but_that_of_bytes_is_without_a_ratio():
    assert [name for name, target in TARGETS.items() if target.only_value] == ["first_page_size"]
    assert all(str(target)[0] in "≤≥" for target in TARGETS.values() if not target.only_value)


def test_the_table_says_which_steps_take_most():
    last = table([a_figure()]).splitlines()[-1]
    assert last == "generation: most of it: 41 % ledger/sender.py claim; 9 % domain/loans.py parse"


def test_no_figure_is_without_its_steps():
    with pytest.raises(TypeError, match="steps"):
        Figure(name="generation", value=1.0, unit="s", baseline=1.0)


def test_of_a_size_the_three_largest_parts_are_told():
    assert parts(200.0, the_rows=20, interpreter=90, Airflow_itself=80, the_rest=10) == (
        "45 % interpreter",
        "40 % Airflow itself",
        "10 % the rows",
    )


def test_every_figure_is_measured_by_one_case_and_has_a_target():
    assert [name for names, _ in CASES for name in names] == list(NAMES)
    assert set(TARGETS) == set(NAMES)


def test_lifting_the_caps_changes_nothing_else_of_the_settings():
    text = (ROOT / "library.toml").read_text(encoding="utf-8")
    before, after = tomllib.loads(text), tomllib.loads(lift_caps(text))
    lifted = [(after["caps"], key) for key in after["caps"]]
    lifted += [(after["sms"]["budget"], key) for key in ("daily", "monthly")]
    assert {limits[key] for limits, key in lifted} == {1_000_000}
    after["caps"] = before["caps"]
    after["sms"]["budget"] |= {key: before["sms"]["budget"][key] for key in ("daily", "monthly")}
    assert after == before
    Settings.model_validate(tomllib.loads(lift_caps(text)))


def test_generated_rows_are_that_many_readers_who_can_be_reached():
    from loan_reminders.domain.recipients import EmailAddress, MobileNumber, PostalAddress
    from loan_reminders.domain.runs.extraction import CodeMapping, parse_row

    rows = contract_rows(100, due=date(2026, 11, 26), reach=Reach(mobile_every=1), first=1)
    loans = [parse_row(row, CodeMapping()) for row in rows]
    assert len(loans) == 5 * sum(LOANS_OF_TWENTY_READERS) == 165
    assert len({loan.loan_id for loan in loans}) == 165
    patrons = {loan.patron.patron_id: loan.patron for loan in loans}
    assert len(patrons) == len({patron.mobile for patron in patrons.values()}) == 100
    for patron in patrons.values():
        assert isinstance(patron.email, EmailAddress)
        assert isinstance(patron.mobile, MobileNumber)
        assert isinstance(patron.address, PostalAddress)
