"""« À faire » on the first page: each thing that waits for a person, the oldest first, with the way to do it.

The first page shows it by `{% include "a_faire.html.j2" %}`, with what `to_do` gives as the variable of that name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.letters.batches import RegisteredState
from loan_reminders.domain.runs.to_do import ToDoItem, ToDoKind
from loan_reminders.french.pages.to_do import to_do_words
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import badge
from loan_reminders.web.access import Right
from loan_reminders.web.page import Page, said

ICONS = {
    ToDoKind.LEDGER_BEHIND: "stopped",
    ToDoKind.LEDGER_GAP: "stopped",
    ToDoKind.VOLUME: "waiting",
    ToDoKind.READING: "waiting",
    ToDoKind.APPROVAL: "registered",
    ToDoKind.PRINT: "print",
    ToDoKind.NUMBER: "registered",
    ToDoKind.POST: "registered",
    ToDoKind.ACKNOWLEDGEMENT: "registered",
    ToDoKind.IN_DOUBT: "sms",
    ToDoKind.NOT_ARRIVED: "email",
    ToDoKind.BOUNCES: "email",
    ToDoKind.REPLIES: "sms",
    ToDoKind.MISSED_DAY: "missed",
    ToDoKind.BOOKS_WRONG: "stopped",
    ToDoKind.STANDS_STILL: "paused",
    ToDoKind.NO_CREDIT: "sms",
    ToDoKind.NEW_CODES: "hold",
}
ANSWERS = frozenset({ToDoKind.LEDGER_GAP, ToDoKind.VOLUME, ToDoKind.READING, ToDoKind.APPROVAL})
"""Readers hear nothing before these are answered: their button is the one that stands out."""

SEEN = frozenset({ToDoKind.BOOKS_WRONG, ToDoKind.STANDS_STILL, ToDoKind.NEW_CODES, ToDoKind.NO_CREDIT})
"""Their pages show figures alone, and are open to whoever sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDoLine:
    """One line; `path` is where its button leads, empty for nowhere, `first` whether the button stands out."""

    kind: str
    title: str
    more: str
    button: str
    path: str
    icon: str
    first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDoPiece:
    """The piece of the first page. `problem` says why nothing can be listed; `missed` counts days to catch up."""

    lines: Sequence[ToDoLine] = ()
    problem: str = ""
    missed: int = 0

    @property
    def number(self) -> int:
        """How many things wait."""
        return len(self.lines)


def to_do(
    at: Page,
    *,
    now: datetime | None = None,
    waiting: Callable[[datetime], Sequence[ToDoItem]] = badge.waiting,
) -> ToDoPiece:
    """What waits for a person, for whoever asks: a way is shown to whom may follow it.

    `now` is this instant unless given. `waiting` says what the ledger has to say of it at a moment.
    """
    now = now or datetime.now(settings().zone)
    try:
        items = list(waiting(now))
    except ReminderError as error:
        return ToDoPiece(problem=said(error))
    missed = sum(len(item.days) for item in items if item.kind is ToDoKind.MISSED_DAY)
    return ToDoPiece(lines=tuple(_line(at, item, now) for item in items), missed=missed)


def _line(at: Page, item: ToDoItem, now: datetime) -> ToDoLine:
    words = to_do_words(item, zone=settings().zone, now=now)
    right = Right.ADMINISTER if item.kind is ToDoKind.LEDGER_BEHIND else Right.ACT
    path = _path(item) if at.may(Right.SEE if item.kind in SEEN else right) else ""
    return ToDoLine(
        kind=item.kind.value,
        title=words.title,
        more=words.more,
        button=words.button if path else "",
        path=path,
        icon=ICONS[item.kind],
        first=item.kind in ANSWERS,
    )


def _path(item: ToDoItem) -> str:
    missed, run = "tournees/jours-manques", f"tournees/{item.run_id}"
    if len(item.days) == 1:
        missed = f"{missed}/{item.stage}/{item.days[0].isoformat()}"
    elif item.days:
        run = missed
    return {
        ToDoKind.LEDGER_BEHIND: "installation",
        ToDoKind.LEDGER_GAP: "registre",
        ToDoKind.VOLUME: f"questions/{item.run_id}/volume",
        ToDoKind.READING: f"questions/{item.run_id}/volume",
        ToDoKind.APPROVAL: f"questions/{item.run_id}/lettres",
        ToDoKind.PRINT: "lots" if item.batch_id is None else f"lots/{item.batch_id}",
        ToDoKind.NUMBER: f"recommandes?etat={RegisteredState.PRINTED}",
        ToDoKind.POST: f"recommandes?etat={RegisteredState.NUMBERED}",
        ToDoKind.ACKNOWLEDGEMENT: "recommandes#retards",
        ToDoKind.IN_DOUBT: "bureau#en-doute",
        ToDoKind.NOT_ARRIVED: "bureau#non-aboutis",
        ToDoKind.BOUNCES: "bureau#retours-en-masse",
        ToDoKind.REPLIES: "bureau#reponses",
        ToDoKind.MISSED_DAY: missed,
        ToDoKind.BOOKS_WRONG: run,
        ToDoKind.STANDS_STILL: run,
        ToDoKind.NO_CREDIT: "#credit",
        ToDoKind.NEW_CODES: run,
    }[item.kind]
