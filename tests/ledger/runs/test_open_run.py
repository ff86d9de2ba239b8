"""Opening a run and writing down what the ILS gave."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loan_reminders.domain.errors import PermanentError
from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.domain.states import Refusal
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import DUE_DATE, a_loan, a_patron, an_address, some_loans
from tests.scenes.ledger_runs import extracted, opened, planned, rows, some_deliveries
from tests.scenes.sentences import saying

SEEN = "SELECT loan_id FROM loans_seen WHERE run_id = :run_id ORDER BY seq"
SKIPPED = "SELECT loan_id, due_date, patron_id, slot, reason, detail, raw FROM skips WHERE run_id = :run_id"


def a_rejected_row(**changes: object) -> RejectedRow:
    values: dict[str, object] = {
        "loan_id": "X1",
        "patron_id": "P9",
        "code": "not_a_date",
        "column": "due_date",
        "raw": {"loan_id": "X1", "due_date": "31/02/2026", "renewals": 2, "price": 1.5, "branch": None},
    }
    return RejectedRow(**{**values, **changes})  # type: ignore[arg-type]


def read_back(ledger: PostgresLedger, run_id: int) -> list[Loan]:
    with ledger.planning(run_id) as planning:
        return [loan for page in planning.patrons() for reader in page for loan in reader]


def test_a_run_is_what_was_asked(ledger: PostgresLedger) -> None:
    run = opened(ledger, dry_run=True)
    assert (run.reference_date, run.due_date, run.dry_run, run.planned) == (
        DUE_DATE + timedelta(days=1),
        DUE_DATE,
        True,
        False,
    )
    assert ledger.run(run.run_id) == run


def test_a_try_that_did_not_finish_reading_begins_afresh_under_its_number(ledger: PostgresLedger) -> None:
    first = opened(ledger)
    ledger.record_loans(first.run_id, [*some_loans(3), a_rejected_row()])
    again = opened(ledger, today=DUE_DATE + timedelta(days=2))
    assert again.run_id == first.run_id
    assert again.today == DUE_DATE + timedelta(days=2)
    assert rows(ledger, SEEN, run_id=again.run_id) == []
    assert rows(ledger, SKIPPED, run_id=again.run_id) == []
    ledger.record_loans(again.run_id, some_loans(3))
    ledger.finish_extraction(again.run_id, 3)
    assert [seen.loan_id for seen in rows(ledger, SEEN, run_id=again.run_id)] == ["L1", "L2", "L3"]


def test_a_cleared_dag_run_is_another_attempt_with_its_own_books(ledger: PostgresLedger) -> None:
    first = extracted(ledger, some_loans(2))
    second = opened(ledger)
    assert second.run_id != first.run_id
    attempts = rows(ledger, "SELECT run_id, attempt FROM runs ORDER BY attempt")
    assert attempts == [(first.run_id, 1), (second.run_id, 2)]
    assert len(rows(ledger, SEEN, run_id=first.run_id)) == 2


@pytest.mark.parametrize("change", ["dag_run", "stage", "library"])
def test_runs_of_other_days_stages_and_libraries_are_others(
    ledger: PostgresLedger, ledger_url: str, change: str
) -> None:
    from loan_reminders.domain.stages import Stage

    first = opened(ledger)
    with connect(ledger_url, library="other") as other:
        second = {
            "dag_run": lambda: opened(ledger, dag_run_id="run-2"),
            "stage": lambda: opened(ledger, stage=Stage.FIRST_REMINDER),
            "library": lambda: opened(other),
        }[change]()
    assert second.run_id != first.run_id


def test_a_run_of_another_library_is_not_ours(ledger: PostgresLedger, ledger_url: str) -> None:
    run = opened(ledger)
    with connect(ledger_url, library="other") as other:
        for use in (
            lambda: other.run(run.run_id),
            lambda: other.planning(run.run_id),
            lambda: other.record_loans(run.run_id, some_loans(1)),
            lambda: other.close_run(run.run_id),
        ):
            with pytest.raises(PermanentError):
                use()


def test_a_run_that_does_not_exist(ledger: PostgresLedger) -> None:
    with pytest.raises(PermanentError, check=saying("pas de tournée 404")):
        ledger.run(404)


def test_a_loan_comes_back_as_it_was(ledger: PostgresLedger) -> None:
    patron = a_patron(email=Refusal.NOT_AN_ADDRESS, mobile=Refusal.MISSING, address=an_address())
    loans = [a_loan(loan_id="A", title='« L\'œuvre » \\u0000 "x" {{ y }} 😀', patron=patron), a_loan(loan_id="B")]
    run = extracted(ledger, loans)
    found = sorted(read_back(ledger, run.run_id), key=lambda loan: loan.loan_id)
    assert found == loans


@pytest.mark.parametrize(
    ("title", "kept"),
    [("NUL \x00 here", "NUL  here"), ("half \ud83d a pair", "half ? a pair"), ("œ\x00😀", "œ😀")],
)
def test_what_postgresql_cannot_hold_stops_nothing(ledger: PostgresLedger, title: str, kept: str) -> None:
    bad = {"title": title, "price": float("nan"), "when": DUE_DATE}
    run = opened(ledger)
    ledger.record_loans(run.run_id, [a_loan(title=title), a_rejected_row(raw=bad, loan_id="\x00X")])
    ledger.finish_extraction(run.run_id, 2)
    assert [loan.title for loan in read_back(ledger, run.run_id)] == [kept]
    [skipped] = rows(ledger, SKIPPED, run_id=run.run_id)
    assert (skipped.loan_id, skipped.raw) == ("X", {"title": kept, "price": "nan", "when": DUE_DATE.isoformat()})


def test_an_unreadable_row_is_skipped_and_kept(ledger: PostgresLedger) -> None:
    run = extracted(ledger, [a_rejected_row()])
    raw = {"loan_id": "X1", "due_date": "31/02/2026", "renewals": 2, "price": 1.5, "branch": None}
    assert rows(ledger, SKIPPED, run_id=run.run_id) == [
        ("X1", None, "P9", None, "invalid_row", "not_a_date:due_date", raw)
    ]


@pytest.mark.parametrize("together", [True, False])
def test_of_two_rows_of_one_loan_the_first_stays(ledger: PostgresLedger, together: bool) -> None:
    first, second = a_loan(title="first"), a_loan(title="second", patron=a_patron(patron_id="P2"))
    run = opened(ledger)
    for chunk in [[first, second]] if together else [[first], [second]]:
        ledger.record_loans(run.run_id, chunk)
    ledger.finish_extraction(run.run_id, 2)
    assert [loan.title for loan in read_back(ledger, run.run_id)] == ["first"]
    [skipped] = rows(ledger, SKIPPED, run_id=run.run_id)
    assert (skipped.loan_id, skipped.patron_id, skipped.reason) == ("L1", "P2", "duplicate_row")
    assert skipped.raw["title"] == "second"


def test_the_same_loan_in_another_cycle_is_no_duplicate(ledger: PostgresLedger) -> None:
    run = extracted(ledger, [a_loan(), a_loan(due_date=DUE_DATE + timedelta(days=28))])
    assert rows(ledger, SKIPPED, run_id=run.run_id) == []


def test_no_rows_are_no_work(ledger: PostgresLedger) -> None:
    run = opened(ledger)
    ledger.record_loans(run.run_id, [])
    ledger.finish_extraction(run.run_id, 0)
    assert read_back(ledger, run.run_id) == []


def test_a_run_that_finished_reading_takes_no_more_rows(ledger: PostgresLedger) -> None:
    run = extracted(ledger, some_loans(1))
    with pytest.raises(PermanentError, check=saying("accepte plus de ligne")):
        ledger.record_loans(run.run_id, some_loans(2))
    assert len(rows(ledger, SEEN, run_id=run.run_id)) == 1


def test_to_finish_reading_twice_changes_nothing(ledger: PostgresLedger) -> None:
    run = planned(ledger, some_deliveries(1))
    ledger.finish_extraction(run.run_id, 99)
    assert rows(ledger, "SELECT loans_extracted, state FROM runs") == [(1, "planned")]


def test_a_day_whose_run_may_still_go_on_is_not_missed(ledger):
    """Its SMS wait for their hour: a librarian who starts it again would only find it under way."""
    days = [DUE_DATE + timedelta(days=number) for number in range(4)]
    green, waiting, stopped, today = (
        opened(ledger, dag_run_id=f"run {day}", reference_date=day, due_date=day).run_id for day in days
    )
    rows(ledger, "UPDATE runs SET state = 'closed', balanced = true WHERE run_id = :run", run=green)
    rows(ledger, "UPDATE runs SET started_at = now() - interval '7 days' WHERE run_id = :run", run=stopped)
    assert ledger.missed_days(today, within_days=30) == (days[2],)
    rows(ledger, "UPDATE runs SET state = 'closed', balanced = false WHERE run_id = :run", run=waiting)
    assert ledger.missed_days(today, within_days=30) == (days[1], days[2])
