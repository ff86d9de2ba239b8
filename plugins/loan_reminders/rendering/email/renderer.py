"""A delivery becomes an e-mail: what the reader sees in the mail program, as plain text and as HTML."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from loan_reminders.domain.clock import Clock
from loan_reminders.domain.email.survey import Survey
from loan_reminders.domain.errors import RecipientError, SettingsError, TemplateError
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.messages import RenderedEmail
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.recipients import EmailAddress
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import Refusal
from loan_reminders.french.typography import spaced, spaced_page
from loan_reminders.rendering.email.lines import FACT_LENGTH, LineWriter, cut
from loan_reminders.rendering.email.mime import address_header, alternative, clean_text, one_line, text_header
from loan_reminders.rendering.email.unsubscribe import unsubscribe_headers
from loan_reminders.rendering.languages import FRENCH, direction
from loan_reminders.rendering.templates import Templates

WORDS = ("subject.txt.j2", "words.txt.j2")
"""What each stage says, in `templates/<stage>/email/` and `templates/<stage>/<language>/email/`."""

BODIES = ("body.txt.j2", "body.html.j2")
"""What is around it: the stage's own where its folder has one, else that of `templates/_layouts/email/`."""

OF_NOTICES = {"body.txt.j2": "notice.txt.j2", "body.html.j2": "notice.html.j2"}
"""The same around a notice that is not about loans: nothing there is to be brought back."""

BLOCKS = frozenset({"message", "advice", "thanks"})
"""The paragraphs of `words.txt.j2`: plain text, which the plain and the HTML part both say."""

FACTS = frozenset({
    "patron_name", "patron_barcode", "loans", "loan", "count", "due_date", "today", "days_left", "days_late",
    "branches", "branch", "library", "language", "direction", "subject", "survey", *BLOCKS,
})  # fmt: skip
"""Every name that a template for e-mail may use."""

_NAME_LENGTH = 200


def check_email_templates(templates: Templates, stage: Stage) -> None:
    """Make sure that a stage's e-mail can be written in each language it has, before a run starts.

    Raises TemplateError with every fault, its file and line.
    """
    faults: list[str] = []
    for language in templates.languages(stage, Channel.EMAIL):
        parts = _Parts(templates, stage, language)
        try:
            templates.check([parts.subject, parts.text, parts.html], known=FACTS, language=language)
        except TemplateError as error:
            faults.append(str(error))
        try:
            templates.check([parts.words], known=FACTS, language=language, blocks=BLOCKS)
        except TemplateError as error:
            faults.append(str(error))
    if faults:
        raise TemplateError("\n".join(dict.fromkeys("\n".join(faults).splitlines())))


class _Parts:
    """The four templates of a stage's e-mail in one language."""

    __slots__ = ("direction", "html", "language", "subject", "text", "words")

    def __init__(self, templates: Templates, stage: Stage, language: str) -> None:
        folder = f"{stage}/email" if language == FRENCH else f"{stage}/{language}/email"
        self.language = language
        self.direction = direction(language)
        self.subject, self.words = (f"{folder}/{name}" for name in WORDS)
        around = {name: name if stage.is_about_loans else OF_NOTICES[name] for name in BODIES}
        self.text, self.html = (
            f"{folder}/{name}" if templates.exists(f"{folder}/{name}") else f"_layouts/email/{around[name]}"
            for name in BODIES
        )


class EmailRenderer:
    """Writes the e-mails of one run.

    `sender` is the From header, `Name <address>`. `clock` gives the Date header of each message, the moment it is
    written. `message_id_domain` is the right-hand side of Message-ID; its left is the delivery's id, so that a
    message sent again after a doubt is recognised by the reader's mail program. `list_unsubscribe` (https or
    mailto, `{delivery}` in it stands for the delivery's id) makes a List-Unsubscribe header, or none when empty.
    `survey` adds a line to the e-mails of its days and readers, the same for all of them.

    A reader whose language has a folder below the stage (`templates/<stage>/<language>/email/`) is written to in it,
    any other in French. May be shared between threads.

    Raises SettingsError when one of these cannot go into a header.
    """

    def __init__(
        self,
        templates: Templates,
        *,
        library: LibraryIdentity,
        sender: str,
        reply_to: str,
        message_id_domain: str,
        clock: Clock,
        list_unsubscribe: str = "",
        survey: Survey | None = None,
    ) -> None:
        if clock().tzinfo is None:
            raise SettingsError("La date des e-mails doit avoir un fuseau horaire.")
        self._templates = templates
        self._clock = clock
        self._library = library
        self._writer = LineWriter(library)
        self._domain = _domain(message_id_domain)
        self._parts: dict[tuple[Stage, str], _Parts] = {}
        name, _, address = sender.rpartition("<")
        author = address_header(name.strip().strip('"'), _address(address.rstrip("> ")))
        self._constant_headers = (
            f"From: {author}\r\nReply-To: {_address(reply_to)}\r\nAuto-Submitted: auto-generated\r\n"
        )
        self._survey = survey
        self._unsubscribe = unsubscribe_headers(list_unsubscribe)

    def render(self, delivery: Delivery, *, today: date, meant_for: str = "") -> RenderedEmail:
        """One e-mail, true on the day `today`; the subject of a redirected one begins with whom it was meant for.

        Raises TemplateError, or RecipientError when it is not for an e-mail."""
        recipient = delivery.recipient
        if not isinstance(recipient, EmailAddress):
            raise RecipientError(Refusal.NOT_AN_ADDRESS)
        patron = delivery.notice.patron
        parts = self._parts_for(delivery.notice.stage, patron.language)
        language = parts.language
        facts = self._facts(delivery, today, parts)
        subject = one_line(self._templates.render(parts.subject, facts, language))
        if meant_for:
            subject = f"[Essai, pour {one_line(meant_for)}] {subject}"
        subject = facts["subject"] = spaced(subject)
        facts.update(self._templates.blocks(parts.words, facts, language))
        text = spaced(clean_text(self._templates.render(parts.text, facts, language)))
        delivery_id = str(delivery.delivery_id)
        message_id = f"<{delivery_id}@{self._domain}>"
        now = self._clock().replace(microsecond=0)
        headers = (
            f"{self._constant_headers}"
            f"Date: {_date_header(now, now.utcoffset())}\r\n"
            f"To: {address_header(cut(patron.name, _NAME_LENGTH), recipient.value)}\r\n"
            f"Subject: {text_header(subject)}\r\n"
            f"Message-ID: {message_id}\r\n"
            f"Content-Language: {language}\r\n"
            f"{self._unsubscribe.replace('{delivery}', delivery_id)}"
        )
        content = alternative(
            headers,
            boundary=f"=_{delivery.delivery_id.hex}",
            text=text,
            html=spaced_page(clean_text(self._templates.render(parts.html, facts, language))),
        )
        return RenderedEmail(
            delivery_id=delivery.delivery_id,
            recipient=recipient,
            message_id=message_id,
            content=content,
            subject=subject,
            text=text,
        )

    def _facts(self, delivery: Delivery, today: date, parts: _Parts) -> dict[str, Any]:
        """What templates may name: who, which documents, when as seen from today, and the library."""
        notice, loans = delivery.notice, delivery.loans
        days_left = (notice.due_date - today).days
        return {
            "patron_name": cut(one_line(notice.patron.name), FACT_LENGTH),
            "patron_barcode": one_line(notice.patron.barcode),
            "loans": self._writer.lines(loans, today),
            "count": len(loans),
            "due_date": notice.due_date,
            "today": today,
            "days_left": days_left,
            "days_late": -days_left,
            "branches": self._writer.branches(loans),
            "library": self._library,
            "language": parts.language,
            "direction": parts.direction,
            "survey": self._survey.line(notice.patron.category, parts.language, today) if self._survey else None,
        }

    def _parts_for(self, stage: Stage, language: str) -> _Parts:
        """The stage's templates in the reader's language, or else in French."""
        found = self._parts.get((stage, language))
        if found is None:
            translated = language if language in self._templates.languages(stage, Channel.EMAIL) else FRENCH
            found = self._parts[stage, language] = _Parts(self._templates, stage, translated)
        return found


@lru_cache(maxsize=16)  # hundreds of messages are written within a second
def _date_header(moment: datetime, _offset: timedelta | None) -> str:
    return format_datetime(moment)


def _address(text: str) -> str:
    try:
        return EmailAddress.parse(text).value
    except RecipientError as error:
        raise SettingsError(
            f"L'expéditeur, l'adresse de réponse ou le domaine des e-mails est inutilisable ({error.code}) :"
            " corriger library.toml."
        ) from None


def _domain(text: str) -> str:
    return _address(f"id@{text}").rpartition("@")[2]
