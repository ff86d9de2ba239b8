"""The file of a loan that a reader contests: whoever makes it is logged, the reader is not."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pikepdf
import pytest

from loan_reminders.domain.dispute.loan_file import DisputePdf, LoanFound, LoanSearch
from loan_reminders.domain.errors import LetterStoreUnavailable
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.services.dispute.loan_file import choice_words, find_loans, make_dispute_file
from tests.scenes.builders import a_library, a_loan
from tests.scenes.disputed_loan import a_whole_story, two_loans


class LostLetters:
    """A letter store whose files are gone."""

    def read(self, location: str) -> Iterator[bytes]:
        raise LetterStoreUnavailable(f"{location} is gone")


def made(ledger: PostgresLedger, loan_id: str) -> DisputePdf | None:
    moment = datetime(2027, 1, 11, 9, 30, tzinfo=UTC)
    return make_dispute_file(
        ledger.dispute(), LostLetters(), a_library(), loan_id, who="chloé", made_at=moment, zone=UTC
    )


def test_a_loan_that_the_ledger_never_heard_of_has_no_file(ledger: PostgresLedger) -> None:
    assert made(ledger, "nothing") is None


def test_a_lost_letter_does_not_stop_the_file_and_is_told_to_whoever_runs_the_program(
    ledger: PostgresLedger, caplog: pytest.LogCaptureFixture
) -> None:
    a_whole_story(ledger)
    with caplog.at_level(logging.INFO, "loan_reminders"):
        file = made(ledger, "L1")
    assert file is not None
    assert (file.deliveries, file.missing) == (4, 2)
    with pikepdf.open(io.BytesIO(file.content)) as pdf:
        assert len(pdf.pages) == file.pages
    assert "fait par chloé : envois 4" in caplog.text
    assert "lettres dont le fichier n'a pas pu être lu : 2" in caplog.text
    assert [word for word in ("L1", "Camille", "0935000123", "économie") if word in caplog.text] == []


def test_two_loans_of_one_document_are_told_apart_by_their_dates(ledger: PostgresLedger) -> None:
    two_loans(ledger)
    found = find_loans(ledger.dispute(), LoanSearch(item_barcode="0935000123"))
    assert [choice_words(one) for one in found] == [
        "prêté le 29/10/2026, à rendre le 26/11/2026",
        "prêté le 02/02/2026, à rendre le 02/03/2026",
    ]


def test_a_loan_whose_description_was_erased_is_offered_all_the_same() -> None:
    assert choice_words(LoanFound(loan_id="L1", loan=None)) == "description effacée du registre"
    assert "Martin" not in choice_words(LoanFound(loan_id="L1", loan=a_loan()))
