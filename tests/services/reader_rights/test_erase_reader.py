"""Erasure: runs that were never counted are first, and the log names nobody."""

from __future__ import annotations

import logging

import pytest

from loan_reminders.domain.reader_rights.erasure import ErasureRefused
from loan_reminders.domain.stages import Channel
from loan_reminders.ledger.reader_rights.erasure import PostgresErasure
from loan_reminders.services.reader_rights.erase_reader import erase_reader
from tests.scenes.ledger_runs import rows
from tests.scenes.planted import LONG_AFTER, YOUNG, Planted, every_row, found, plant


def erase(ledger, patron_id="ZLECTEUR1Z", *, rehearse=False):
    return erase_reader(
        ledger.part(PostgresErasure), ledger.loan_ends(), patron_id, today=LONG_AFTER, who="chloé", rehearse=rehearse
    )


def test_what_was_never_counted_is_counted_before_it_goes(ledger, tmp_path, caplog):
    plant(ledger, tmp_path, [Planted(number=1, channels=(Channel.EMAIL,), ended_on=YOUNG)])
    rows(ledger, "DELETE FROM message_counters")
    rows(ledger, "DELETE FROM counted_runs")
    erase(ledger, rehearse=True)
    assert rows(ledger, "SELECT 1 FROM message_counters") == []
    with caplog.at_level(logging.INFO):
        assert erase(ledger).complete
    assert rows(ledger, "SELECT sum(told + not_reached + in_doubt + failed + waiting) FROM message_counters") == [(1,)]
    assert found([("log", caplog.text), *every_row(ledger)]) == {}
    assert "1 prêt" in caplog.text


def test_nobody_is_erased_for_a_stranger(ledger, caplog):
    with pytest.raises(ErasureRefused):
        erase(ledger)
    assert caplog.text == ""
