"""A delivery becomes an SMS: one line in the GSM 03.38 alphabet, no longer than the library pays for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import product
from string import ascii_lowercase

from loan_reminders.domain.errors import RecipientError, TemplateError, TextTooLong
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.messages import RenderedText
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.recipients import MobileNumber
from loan_reminders.domain.sms.text import ONE_SEGMENT, SEVERAL_SEGMENTS, segments, septets, to_gsm
from loan_reminders.domain.stages import Stage
from loan_reminders.domain.states import Refusal
from loan_reminders.rendering.languages import FRENCH
from loan_reminders.rendering.templates import Templates

FACTS = frozenset({"count", "due_date", "due_day", "today", "days_late", "library", "stop"})
"""Every name that a template for SMS may use. Nothing in it is about the reader: an SMS shows on a locked screen."""

_EVERY_DATE_FORM = tuple(date(2026, month, day) for month in range(1, 13) for day in range(22, 29))
"""A week of two-digit days in each month: every name of a day with every name of a month."""

_EACH_MONTH = _EVERY_DATE_FORM[::7]
"""A day of each month, for a text that need not be the longest: that it can be written at all."""

_DAYS_LATE = (-2, -1, 0, 1, 2)
_COUNTS = (1, 99)


class SmsRenderer:
    """Writes the SMS of one run from `templates/<stage>/sms/text.txt.j2`.

    A reader whose language has a folder below the stage (`templates/<stage>/<language>/sms/`) is written to in it.
    A text too long drops to the short form beside its template (`short.txt.j2`). `max_segments` is the most that one
    SMS may cost. `opt_out_mention` (`STOP au 36180`, or nothing) ends every text that does not hold it already:
    allmysms keeps the sender's name only with it.

    The first SMS to a number has words of its own, that say who writes and how to stop it: `first.txt.j2`, too long
    `first_short.txt.j2`, and where neither is there or fits, those of every other, which must say both then.
    """

    def __init__(
        self, templates: Templates, *, library: LibraryIdentity, max_segments: int = 1, opt_out_mention: str
    ) -> None:
        self._templates = templates
        self._library = library
        self._max_segments = max_segments
        self._mention = _one_line(opt_out_mention)
        self._names: dict[tuple[Stage, str], str] = {}

    def render(self, delivery: Delivery, *, today: date) -> RenderedText:
        """One SMS, true on the day `today`.

        Raises TemplateError, TextTooLong, or RecipientError when the delivery is not for a mobile.
        """
        recipient = delivery.recipient
        if not isinstance(recipient, MobileNumber):
            raise RecipientError(Refusal.NOT_A_NUMBER)
        notice = delivery.notice
        name = self._name(notice.stage, notice.patron.language)
        text = ""
        for form in self._forms(name, first=delivery.first):
            text = self._text(form, count=len(delivery.loans), due_date=notice.due_date, today=today)
            cost = segments(text)
            if cost <= self._max_segments:
                return RenderedText(delivery_id=delivery.delivery_id, recipient=recipient, text=text, segments=cost)
        raise TextTooLong(f"{name} : {self._excess(text)}")

    def written(self, delivery: Delivery, *, today: date) -> str:
        """The words of `render` as the template has them, before they are put into the alphabet of SMS."""
        name = self._name(delivery.notice.stage, delivery.notice.patron.language)
        count, due_date = len(delivery.loans), delivery.notice.due_date
        for form in self._forms(name, first=delivery.first):
            if segments(self._text(form, count=count, due_date=due_date, today=today)) <= self._max_segments:
                name = form
                break
        return " ".join(self._raw(name, count=count, due_date=due_date, today=today).split())

    def check(self, stages: Iterable[Stage] = (Stage.OVERDUE_NOTICE,)) -> None:
        """Make sure that the stages' SMS can be written in every language they have, and never cost too much.

        Each is written with the longest forms of dates, near and far, for one document and for 99.
        Raises TemplateError.
        """
        for stage in stages:
            names = list(self._translations(stage))
            self._templates.check([form for name in names for form in self._forms(name, first=True)], known=FACTS)
            for name in names:
                *longer, shortest = self._forms(name)
                for form in longer:  # where it is too long, the next one is sent
                    self._longest(form, _EACH_MONTH)
                longest = self._longest(shortest, _EVERY_DATE_FORM)
                if segments(longest) > self._max_segments:
                    raise TemplateError(
                        f"{name} : {self._excess(longest)} ; le raccourcir, ou augmenter sms.max_segments"
                    )
                self._check_first(name)

    def _longest(self, name: str, dates: Iterable[date]) -> str:
        return max(
            (
                self._text(name, count=count, due_date=due_date, today=due_date + timedelta(days=days_late))
                for due_date, days_late, count in product(dates, _DAYS_LATE, _COUNTS)
            ),
            key=septets,
        )

    def _check_first(self, name: str) -> None:
        """Make sure that whatever may be the first SMS to a number says who writes and how to stop it."""
        names = (self._library.name, self._library.short_name)
        for form in self._forms(name, first=True):
            text = self._longest(form, _EVERY_DATE_FORM)
            if not any(_one_line(one) in text for one in names):
                raise TemplateError(f"{form} : le premier SMS doit dire qui écrit : library.name ou library.short_name")
            if _one_line(self._stop()) not in text:
                raise TemplateError(f"{form} : le premier SMS doit dire comment ne plus en recevoir : {{{{ stop }}}}")
            if segments(text) <= self._max_segments:
                return  # those after it are for numbers that were reached

    def _forms(self, name: str, *, first: bool = False) -> tuple[str, ...]:
        """The template, then its short form where the folder has one; before both those of a first SMS."""
        return (*(self._first_forms(name) if first else ()), name, *self._beside(name, "short.txt.j2"))

    def _first_forms(self, name: str) -> tuple[str, ...]:
        return (*self._beside(name, "first.txt.j2"), *self._beside(name, "first_short.txt.j2"))

    def _beside(self, name: str, other: str) -> tuple[str, ...]:
        """Another template of the folder, where it is there."""
        found = name.replace("/text.txt.j2", f"/{other}")
        return (found,) if self._templates.exists(found) else ()

    def _stop(self) -> str:
        """How to stop SMS: the mention, or where the library has none, whom to call."""
        return self._mention or self._library.phone

    def _raw(self, name: str, *, count: int, due_date: date, today: date) -> str:
        facts = {
            "count": count,
            "due_date": due_date,
            "due_day": f"{due_date:%d/%m}",
            "today": today,
            "days_late": (today - due_date).days,
            "library": self._library,
            "stop": self._stop(),
        }
        return self._templates.render(name, facts, _language(name))

    def _text(self, name: str, *, count: int, due_date: date, today: date) -> str:
        text = _one_line(self._raw(name, count=count, due_date=due_date, today=today))
        if not text:
            raise TemplateError(f"{name} : le texte est vide")
        return text if self._mention in text else f"{text} {self._mention}"

    def _name(self, stage: Stage, language: str) -> str:
        found = self._names.get((stage, language))
        if found is None:
            translated = f"{stage}/{language}/sms/text.txt.j2"
            there = language.isalpha() and self._templates.exists(translated)
            found = self._names[stage, language] = translated if there else f"{stage}/sms/text.txt.j2"
        return found

    def _translations(self, stage: Stage) -> Iterator[str]:
        """The stage's template, and its translations into any language with an ISO 639-1 code."""
        yield f"{stage}/sms/text.txt.j2"
        for code in map("".join, product(ascii_lowercase, repeat=2)):
            name = f"{stage}/{code}/sms/text.txt.j2"
            if self._templates.exists(name):
                yield name

    def _excess(self, text: str) -> str:
        room = ONE_SEGMENT if self._max_segments == 1 else SEVERAL_SEGMENTS * self._max_segments
        return (
            f"jusqu'à {septets(text)} septets (segments : {segments(text)}),"
            f" pour {room} septets permis (segments : {self._max_segments})"
        )


def _language(name: str) -> str:
    """The language of a template: the folder between the stage and the channel, or French."""
    folders = name.split("/")
    return folders[1] if len(folders) == 4 else FRENCH


def _one_line(text: str) -> str:
    return " ".join(to_gsm(text).split())
