"""Follow registered letters: attach numbers, post, note acknowledgements and returns, import a file of numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from loan_reminders.domain.errors import LetterStepRefused
from loan_reminders.domain.letters.batches import ReturnReason
from loan_reminders.domain.ports.registered import BatchPosted, NumberLine, RegisteredLetters, StepTaken
from loan_reminders.domain.registered.steps import Acknowledged, Numbered, Posted, RegisteredLetter, Returned, Step
from loan_reminders.domain.registered.steps import NumbersFileRefusal as File
from loan_reminders.domain.registered.steps import StepRefusal as Why
from loan_reminders.domain.registered.tracking_number import TrackingNumber, clean_reference
from loan_reminders.french.days import written_day

LARGEST_FILE = 2 * 1024 * 1024
"""Bytes of a file of numbers at most."""
MOST_LINES = 10_000
REFERENCE, NUMBER = "reference", "numero_recommande"
"""The columns of a file of numbers, named as in the list of recipients beside each batch; others are not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of a file of numbers. `problems`: number of the line (the header is line 1) and why it was refused."""

    attached: int
    unchanged: int
    without_number: int
    problems: tuple[tuple[int, LetterStepRefused], ...]


def attach_number(letters: RegisteredLetters, *, reference: str, text: str, who: str) -> StepTaken:
    """Give one letter its number. Raises LetterStepRefused with what to do in French."""
    reference = _reference(reference)
    return letters.take(Numbered(number=TrackingNumber.parse(text)), reference=reference, who=who)


def note_outcome(
    letters: RegisteredLetters, *, text: str, outcome: str, day: str, now: datetime, who: str
) -> StepTaken:
    """Note what became of the letter with this number.

    `outcome` is a key of `french.letters.OUTCOMES`, `day` what was written for a day, `now` in the library's time zone.
    Raises LetterStepRefused.
    """
    number = TrackingNumber.parse(text)
    return letters.take(_step(outcome, _day(day), now), number=number.value, who=who)


def post_batch(letters: RegisteredLetters, batch_id: int, *, day: str, now: datetime, who: str) -> BatchPosted:
    """Post all letters of a batch that have a number. Raises LetterStepRefused when none could be posted."""
    posted = letters.post_batch(batch_id, Posted(day=_day(day), today=now.date(), zone=_zone(now)), who=who)
    if not posted.posted and posted.refused:
        raise next(iter(posted.refused.values()))
    return posted


def import_numbers(letters: RegisteredLetters, content: bytes, *, who: str) -> Imported:
    """Attach the numbers of a CSV file; wrong lines are reported by number, the good ones are kept.

    The file has a header with `reference` and `numero_recommande`, `;` or `,` between the columns, and is in UTF-8
    (with its byte order mark or not) or in Windows-1252. The same file a second time changes nothing. Raises
    LetterStepRefused for a file that is too large or no such list.
    """
    lines: list[NumberLine] = []
    problems: list[tuple[int, LetterStepRefused]] = []
    empty = 0
    for line, reference, text in _cells(content):
        if not text:
            empty += 1
            continue
        try:
            lines.append(NumberLine(line=line, reference=_reference(reference), number=TrackingNumber.parse(text)))
        except LetterStepRefused as refused:
            problems.append((line, refused))
    attached = unchanged = 0
    for asked, outcome in zip(lines, letters.attach_all(lines, who=who) if lines else (), strict=True):
        if isinstance(outcome, LetterStepRefused):
            problems.append((asked.line, outcome))
        elif outcome.changed:
            attached += 1
        else:
            unchanged += 1
    in_order = tuple(sorted(problems, key=lambda problem: problem[0]))
    return Imported(attached=attached, unchanged=unchanged, without_number=empty, problems=in_order)


def overdue(letters: RegisteredLetters, *, today: date, days: int, limit: int) -> Sequence[RegisteredLetter]:
    """Letters posted more than `days` ago of which nothing came back, the oldest first."""
    return letters.overdue(posted_before=today - timedelta(days=days), limit=limit)


def search_terms(text: str) -> Sequence[str]:
    """What a librarian may have meant: a reference, a number as it is kept, a reader's number as it was typed."""
    wanted = [text.strip(), clean_reference(text)]
    try:
        wanted.append(TrackingNumber.parse(text).value)
    except LetterStepRefused:
        wanted.append("".join(text.upper().split()))
    return tuple(dict.fromkeys(filter(None, wanted)))


def bad_since(day: date, now: datetime) -> datetime:
    """From when the address of a letter that came back on a day counts as bad: the end of that day, or now."""
    return min(now, datetime.combine(day + timedelta(days=1), time(), now.tzinfo))


def _step(outcome: str, day: date, now: datetime) -> Step:
    today = now.date()
    if outcome == "poste":
        return Posted(day=day, today=today, zone=_zone(now))
    if outcome == "recu":
        return Acknowledged(day=day, today=today)
    try:
        reason = ReturnReason(outcome)
    except ValueError:
        raise LetterStepRefused(Why.NO_OUTCOME) from None
    return Returned(day=day, today=today, reason=reason, since=bad_since(day, now) if day <= today else now)


def _zone(now: datetime) -> tzinfo:
    return now.tzinfo or UTC


def _day(text: str) -> date:
    try:
        return written_day(text)
    except ValueError:
        raise LetterStepRefused(Why.NO_DATE) from None


def _reference(text: str) -> str:
    reference = clean_reference(text)
    if not reference:
        raise LetterStepRefused(Why.NO_REFERENCE)
    return reference


def _cells(content: bytes) -> Iterator[tuple[int, str, str]]:
    """Line number, reference and number of each line that is not empty."""
    if len(content) > LARGEST_FILE:
        raise LetterStepRefused(File.TOO_LARGE, megabytes=LARGEST_FILE // 1024 // 1024)
    text = _decoded(content)
    first = text.splitlines()[0] if text.strip() else ""
    for delimiter in (";", ","):
        names = [_cell(name).casefold() for name in next(csv.reader([first], delimiter=delimiter), [])]
        if REFERENCE in names and NUMBER in names:
            break
    else:
        raise LetterStepRefused(File.NO_HEADER, reference=REFERENCE, number=NUMBER)
    if names.count(REFERENCE) > 1 or names.count(NUMBER) > 1:
        raise LetterStepRefused(File.COLUMN_TWICE, reference=REFERENCE, number=NUMBER)
    at = names.index(REFERENCE), names.index(NUMBER)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        next(reader)
        for number, row in enumerate(reader):
            if number >= MOST_LINES:
                raise LetterStepRefused(File.TOO_MANY_LINES, lines=MOST_LINES)
            cells = [_cell(row[place]) if place < len(row) else "" for place in at]
            if any(map(str.strip, row)):
                yield reader.line_num, cells[0], cells[1]
    except csv.Error:
        raise LetterStepRefused(File.NOT_CSV, line=reader.line_num) from None


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        raise LetterStepRefused(File.UNKNOWN_ENCODING) from None


def _cell(text: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from running it as a formula."""
    return text.strip().removeprefix("'").strip()
