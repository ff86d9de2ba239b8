"""Which letters have a blank page behind them: known from when they are laid out, whatever becomes of the next one."""

from __future__ import annotations

import importlib

import pytest

from loan_reminders.domain.messages import PlacedLetter
from tests.scenes.ledger_letters import L, a_batch, close_batch
from tests.scenes.ledger_runs import rows, some_deliveries

PLACES = ((1, 1, 1), (1, 3, 4), (1, 5, 5), (2, 1, 1), (2, 2, 2))
"""The file, the first and the last page of five letters."""


@pytest.fixture
def batch(ledger):
    deliveries = some_deliveries(len(PLACES), channel=L)
    placed = tuple(
        PlacedLetter(delivery_id=one.delivery_id, reference=f"REF-{n}", volume=volume, first_page=first, last_page=last)
        for n, (one, (volume, first, last)) in enumerate(zip(deliveries, PLACES, strict=True))
    )
    _, batch_id = close_batch(ledger, deliveries, a_batch(deliveries, placed=placed, more_pdfs=("lot/lettres-2.pdf",)))
    return batch_id


def versos(ledger, batch_id):
    return [letter.blank_verso for letter in ledger.letters().letters_of(batch_id)]


def test_a_blank_page_before_the_next_letter_is_the_verso_of_the_one_before_it(ledger, batch):
    assert versos(ledger, batch) == [True, False, False, False, False]
    assert [place.end for place in ledger.letters().places_of(batch)] == [2, 4, 5, 1, 2]
    assert [letter.end for letter in ledger.letters().letters_of(batch)] == [2, 4, 5, 1, 2]


@pytest.mark.parametrize(("gone", "known"), [(None, [True, False, False, False, False]), (2, [False] * 4)])
def test_of_letters_laid_out_before_it_is_known_where_the_next_one_is(ledger, batch, gone, known):
    """Where the next one was removed, a page behind a letter may be somebody's: it belongs to nobody."""
    rows(ledger, "UPDATE letters SET blank_verso = false")
    rows(ledger, "DELETE FROM letters WHERE position = :gone", gone=gone)
    migration = importlib.import_module("loan_reminders.ledger.migrations.versions.0025_removal")
    rows(ledger, migration.BLANK_VERSOS)
    assert versos(ledger, batch) == known
