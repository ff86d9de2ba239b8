"""What a loan is looked for by, when a reader contests it."""

from __future__ import annotations

from dataclasses import astuple

from loan_reminders.domain.dispute.loan_file import LoanSearch


def test_a_text_of_unknown_kind_may_be_any_of_the_names_of_a_loan() -> None:
    assert set(astuple(LoanSearch.anything("1A 234"))) == {"1A 234"}


def test_what_is_not_given_does_not_count() -> None:
    assert astuple(LoanSearch(reference="MD-0000AAAA")).count("") == 3
