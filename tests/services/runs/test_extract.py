"""Rows are written while the next ones are read: in their order, one page at a time, and no error is lost."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from unittest import mock

import pytest

from loan_reminders.domain.errors import IlsUnavailable, LedgerUnavailable
from loan_reminders.domain.ports.outside import Ledger
from loan_reminders.services.runs.extract import RunRequest, extract_loans
from loan_reminders.settings.library_toml import ROOT, read_settings
from tests.scenes.world import loans

TODAY = date(2026, 11, 24)
RULE = read_settings(ROOT / "library.toml").policy().rules[0]
PATIENCE_S = 10


class Ils:
    """So many loans; `broken_after` of them it fails."""

    def __init__(self, count, *, broken_after=None):
        self.count, self.broken_after = count, broken_after
        self.read = 0
        self.further = threading.Event()

    def loans_due(self, due_date, *, today):
        for row in loans(self.count):
            if self.read == self.broken_after:
                raise IlsUnavailable("Le SIGB ne répond pas.")
            self.read += 1
            if self.read == 2:
                self.further.set()
            yield row


def a_ledger(record):
    ledger = mock.create_autospec(Ledger, instance=True)
    ledger.record_loans.side_effect = record
    ledger.missed_days.return_value = []
    return ledger


def extract(ledger, ils, *, at_a_time=1):
    request = RunRequest(rule=RULE, reference_date=TODAY, today=TODAY, dag_run_id="test", dry_run=False)
    return extract_loans(ledger, ils, request, chunk_size=at_a_time)


def test_what_the_ledger_refuses_stops_the_run_which_is_not_said_to_be_read():
    def refuse(_run_id, _rows):
        raise LedgerUnavailable("Le registre ne répond pas.")

    ledger = a_ledger(refuse)
    with pytest.raises(LedgerUnavailable):
        extract(ledger, Ils(100))
    assert ledger.record_loans.call_count == 1
    ledger.finish_extraction.assert_not_called()


def test_the_last_page_counts_too():
    def refuse_the_third(_run_id, rows):
        if rows[0].loan_id == loans(3)[2].loan_id:
            raise LedgerUnavailable("Le registre ne répond pas.")

    ledger = a_ledger(refuse_the_third)
    with pytest.raises(LedgerUnavailable):
        extract(ledger, Ils(3))
    ledger.finish_extraction.assert_not_called()


def test_an_ils_that_fails_leaves_nobody_at_work_behind():
    written = []

    def slowly(_run_id, rows):
        threading.Event().wait(0.2)
        written.append(rows)

    with pytest.raises(IlsUnavailable):
        extract(a_ledger(slowly), Ils(3, broken_after=1))
    assert len(written) == 1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ledger")]


def test_the_next_rows_are_read_while_a_page_is_written():
    ils, overlapped = Ils(2), []

    def until_the_next_is_read(_run_id, rows):
        if not overlapped:
            overlapped.append(ils.further.wait(PATIENCE_S))

    extract(a_ledger(until_the_next_is_read), ils)
    assert overlapped == [True]


def test_pages_are_written_in_their_order_and_one_at_a_time():
    written, at_work = [], threading.Lock()

    def record(_run_id, rows):
        assert at_work.acquire(blocking=False)
        written.extend(row.loan_id for row in rows)
        at_work.release()

    ledger = a_ledger(record)
    extract(ledger, Ils(7), at_a_time=2)
    assert written == [row.loan_id for row in loans(7)]
    assert ledger.finish_extraction.call_args.args[1] == 7


def test_nothing_due_writes_nothing():
    ledger = a_ledger(None)
    extract(ledger, Ils(0))
    ledger.record_loans.assert_not_called()
    assert ledger.finish_extraction.call_args.args[1] == 0
    assert ledger.open_run.call_args.kwargs["due_date"] == TODAY - timedelta(days=RULE.offset_days)
