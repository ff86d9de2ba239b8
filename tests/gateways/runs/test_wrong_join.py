"""When rows are so many that a join must be wrong, and when a loan is only held twice."""

from __future__ import annotations

import pytest

from loan_reminders.domain.errors import IlsRejected
from loan_reminders.gateways.runs.loan_source import ENOUGH, unless_a_join_is_wrong


def handed_on(*rows):
    return list(unless_a_join_is_wrong(rows, str))


@pytest.mark.parametrize(
    "again",
    [
        [],
        ["7"],
        ["7"] * 9,
        [str(number) for number in range(19)],
        [""] * 300,  # rows without a key
    ],
)
def test_what_a_library_system_may_hold_stops_nobody(again):
    rows = [*map(str, range(100)), *again]
    assert handed_on(*rows) == rows


@pytest.mark.parametrize(
    ("loans", "again", "told"),
    [
        (100, ["7"] * 10, r"un même prêt : 7 \(11 lignes\)\."),
        (100, [*map(str, range(20))], r"0 \(2 lignes\), .*4 \(2 lignes\), et 15 autres prêts\."),
        (1, ["0"] * 199, r"0 \(200 lignes\)\."),
        (500, [*map(str, range(50)), "7"], r"7 \(3 lignes\), .* et 45 autres prêts\."),
    ],
)
def test_a_wrong_join_is_refused_after_the_last_row(loans, again, told):
    rows = [*map(str, range(loans)), *again]
    came = unless_a_join_is_wrong(rows, str)
    assert [next(came) for _ in rows] == rows
    with pytest.raises(IlsRejected, match=told):
        next(came)


def test_a_tenth_of_a_large_day_is_the_limit():
    rows = [*map(str, range(1000)), *map(str, range(99))]
    assert handed_on(*rows) == rows


def test_no_more_is_read_than_needed_to_know():
    read = 0

    def rows():
        nonlocal read
        while True:
            read += 1
            yield "7"

    with pytest.raises(IlsRejected, match=rf"7 \(au moins {ENOUGH + 1} lignes\)"):
        list(unless_a_join_is_wrong(rows(), str))
    assert read == ENOUGH + 1
