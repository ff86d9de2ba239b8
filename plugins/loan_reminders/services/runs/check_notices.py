"""Check the statements of the notices that are not about loans, after the way to the loans itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.loans import RejectedRow
from loan_reminders.domain.ports.outside import LoanSource
from loan_reminders.domain.runs.notice_rows import NOTICE_COLUMNS
from loan_reminders.domain.stages import Stage
from loan_reminders.french.plurals import many
from loan_reminders.french.refusals import sentence
from loan_reminders.french.words import stage_title
from loan_reminders.services.runs.check_ils import CheckedDay, CheckLine, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedNotice:
    """One notice, the columns that its statement returns as the database says, and the source that its runs read.

    `asked` are columns beside those of every notice that the settings want of it.
    """

    stage: Stage
    columns: Callable[[], Sequence[str]]
    source: LoanSource
    asked: Sequence[str] = ()


def notice_lines(
    notices: Iterable[CheckedNotice], *, day: CheckedDay, stopwatch: Callable[[], float]
) -> Iterator[CheckLine]:
    """What each statement gives today, the days before it included; nothing for a library without such notices."""
    for notice in notices:
        since = stopwatch()
        outcome, words, remedy = _found(notice, day)
        yield CheckLine(
            outcome=outcome,
            words=f"{stage_title(notice.stage)} : {words}",
            seconds=stopwatch() - since,
            remedy=remedy,
        )


def _found(notice: CheckedNotice, day: CheckedDay) -> tuple[Outcome, str, str]:
    file = f"notices/{notice.stage.value}.sql"
    mend = f"corriger {file} (dossier sql/)"
    read = rejected = 0
    try:
        returned = notice.columns()
        missing = [name for name in (*NOTICE_COLUMNS, *notice.asked) if name not in returned]
        if missing:
            return Outcome.FAILURE, f"{file} ne rend pas : {', '.join(missing)}", mend
        with closing(notice.source.loans_due(day.today, today=day.today)) as rows:
            for row in rows:
                read += 1
                rejected += isinstance(row, RejectedRow)
    except ReminderError as error:
        return Outcome.FAILURE, sentence(error), mend
    words = f"{file} est comprise ; {many(read, 'demande', 'demandes')} à ce jour"
    if rejected:
        unreadable = many(rejected, "ligne illisible, écartée", "lignes illisibles, écartées")
        return Outcome.WARNING, f"{words}, dont {unreadable}", f"{mend}, ou la fiche dans le SIGB"
    return Outcome.FINE, words, ""
