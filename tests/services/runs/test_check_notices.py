"""The notices that are not about loans, checked before a library relies on them: statement, words, SMS."""

from __future__ import annotations

from datetime import date

import pytest

from loan_reminders.domain.errors import IlsRejected
from loan_reminders.domain.loans import RejectedRow
from loan_reminders.domain.runs.notice_rows import NOTICE_COLUMNS
from loan_reminders.domain.stages import Channel, ChannelRule, Stage, StageRule
from loan_reminders.services.runs.check_ils import CheckedDay, Outcome
from loan_reminders.services.runs.check_notices import CheckedNotice, notice_lines
from loan_reminders.services.runs.check_templates import check_templates
from loan_reminders.settings.library_toml import ROOT, TEMPLATES, read_settings
from tests.scenes.builders import a_loan
from tests.scenes.world import ListedLoans

TODAY = date(2026, 11, 27)
HOLD = Stage("hold_arrived")
OURS = read_settings(ROOT / "library.toml")
REQUEST = a_loan(loan_id="@hold_arrived:1", due_date=TODAY)
UNREADABLE = RejectedRow(loan_id="@hold_arrived:2", patron_id="P2", code="missing", column="notice_date", raw={})


def found(rows=(), columns=NOTICE_COLUMNS, wanted=()):
    def asked():
        if isinstance(columns, Exception):
            raise columns
        return columns

    notice = CheckedNotice(stage=HOLD, columns=asked, asked=wanted, source=ListedLoans(rows=list(rows)))
    day = CheckedDay(due_date=TODAY, today=TODAY)
    [line] = notice_lines([notice], day=day, stopwatch=lambda: 0.0)
    return line.outcome, line.words


def test_a_statement_that_cannot_be_used_is_a_failure_that_says_why():
    outcome, words = found(columns=[name for name in NOTICE_COLUMNS if name != "email"])
    assert (outcome, words.endswith("notices/hold_arrived.sql ne rend pas : email")) == (Outcome.FAILURE, True)
    outcome, words = found(wanted=["birth_date"])
    assert (outcome, words.endswith("hold_arrived.sql ne rend pas : birth_date")) == (Outcome.FAILURE, True)
    outcome, words = found(columns=IlsRejected("table inconnue"))
    assert (outcome, "table inconnue" in words) == (Outcome.FAILURE, True)


def test_rows_are_counted_and_those_that_cannot_be_read_are_a_warning():
    assert found([REQUEST])[0] is Outcome.FINE
    assert "notices/hold_arrived.sql est comprise ; 1 demande à ce jour" in found([REQUEST])[1]
    outcome, words = found([REQUEST, UNREADABLE])
    assert outcome is Outcome.WARNING
    assert "2 demandes à ce jour, dont 1 ligne illisible, écartée" in words


def test_a_library_without_such_notices_has_no_line():
    assert list(notice_lines([], day=CheckedDay(due_date=TODAY, today=TODAY), stopwatch=lambda: 0.0)) == []


@pytest.mark.parametrize("name", ["hold_arrived", "suggestion_arrived"])
def test_the_words_that_are_delivered_can_be_written_and_their_sms_fit_one_segment(name):
    channels = tuple(ChannelRule(channel=channel) for channel in (Channel.EMAIL, Channel.SMS))
    check_templates(
        TEMPLATES,
        rules=[StageRule(stage=Stage(name), offset_days=0, channels=channels)],
        library=OURS.identity(),
        layout=OURS.letter_layout(),
        text_rules=OURS.text_rules(),
        today=TODAY,
    )
    for path in (f"{name}/email", f"{name}/sms", f"{name}/en/email", f"{name}/en/sms"):
        assert (TEMPLATES / path).is_dir()
