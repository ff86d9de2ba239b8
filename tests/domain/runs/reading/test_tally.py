"""What one reading is in numbers: nobody's name, and no more memory for more rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loan_reminders.domain.loans import CodeKind, RejectedRow, RowRemarks
from loan_reminders.domain.runs.reading.tally import MOST_CODES, Reading, Tally, UnknownCode
from loan_reminders.domain.states import Refusal
from tests.scenes.builders import a_loan, a_patron

S, B = CodeKind.STATUS, CodeKind.BRANCH
BAD = RejectedRow(loan_id="1", patron_id="P", code="missing", column="due_date", raw={})


def counted(*rows):
    tally = Tally()
    for row in rows:
        tally.count(row)
    return tally.reading()


def with_codes(*unknown, **patron):
    return replace(a_loan(patron=a_patron(**patron)), remarks=RowRemarks(unknown=unknown))


def test_nothing_was_read():
    assert counted() == Reading()


def test_loans_are_counted_with_what_they_can_be_written_to_at():
    unreachable = a_loan(patron=a_patron(email=Refusal.MISSING, mobile=Refusal.NOT_MOBILE))
    found = counted(a_loan(), a_loan(), unreachable, BAD)
    assert (found.loans, found.rejected, found.with_email, found.with_mobile) == (3, 1, 2, 2)


def test_unknown_codes_are_counted_by_kind_those_on_most_loans_first():
    rows = [with_codes((S, "99"), (B, "X")), with_codes((S, "98")), with_codes((S, "99")), with_codes((S, ""))]
    found = counted(*rows)
    assert found.unknown == (
        UnknownCode(kind=S, code="99", loans=2),
        UnknownCode(kind=S, code="", loans=1),
        UnknownCode(kind=S, code="98", loans=1),
        UnknownCode(kind=B, code="X", loans=1),
    )
    assert found.unknown_loans == 4


def test_texts_mended_and_lost_are_added_up():
    rows = [
        replace(a_loan(), remarks=RowRemarks(repaired=2, lost=1)),
        replace(a_loan(), remarks=RowRemarks(repaired=1)),
    ]
    found = counted(*rows)
    assert (found.repaired, found.lost, found.unknown) == (3, 1, ())


def test_a_column_of_something_else_is_one_number_whatever_its_length():
    """Another code in each row is no code: a name perhaps, and twenty thousand of them would fill the memory."""
    rows = (with_codes((S, f"c{number}"), (B, "X")) for number in range(1000))
    tally = Tally()
    for row in rows:
        tally.count(row)
        assert sum(map(len, tally._unknown.values())) <= MOST_CODES + 1
    assert tally.reading().unknown == (
        UnknownCode(kind=S, code=None, loans=1000),
        UnknownCode(kind=B, code="X", loans=1000),
    )


@pytest.mark.parametrize(
    "code",
    [
        "camille@etu.example.org",
        "0612345678",
        "06 12 34 56 78",
        "x" * 21,
        "Camille Martin",
        "MARTIN",
        "M0000001",
        "2310",
    ],
)
def test_what_may_be_the_readers_own_is_counted_and_not_shown(code):
    found = counted(with_codes((S, code), patron_id="M0000001", barcode="2310", name="Camille Martin"))
    assert found.unknown == (UnknownCode(kind=S, code=None, loans=1),)
    assert code not in str(found)


@pytest.mark.parametrize("code", ["99", "", "ETU-L1", "Étudiant L3", "BU Droit", "2026", "Mar"])
def test_a_code_is_shown(code):
    found = counted(with_codes((S, code), patron_id="M0000001", barcode="2310", name="Camille Martin"))
    assert found.unknown == (UnknownCode(kind=S, code=code, loans=1),)


def test_the_figures_for_a_note_are_few_and_hold_numbers_alone():
    found = counted(*(with_codes((S, f"c{number}"), (B, "")) for number in range(9)))
    assert len(found.figures()) == 5
    assert all(isinstance(number, int) for number in found.figures().values())
    assert counted(with_codes((B, ""), (S, "x@y"))).figures() == {"unknown status": 1, "unknown branch ": 1}
