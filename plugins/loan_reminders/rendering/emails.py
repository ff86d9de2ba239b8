"""A delivery becomes an e-mail: what the reader sees in the mail program, as plain text and as HTML."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from email.utils import format_datetime
from typing import Any

from loan_reminders.domain.errors import RecipientError, SettingsError
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.loans import Loan
from loan_reminders.domain.messages import RenderedEmail
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.recipients import EmailAddress
from loan_reminders.domain.stages import Stage
from loan_reminders.domain.states import Refusal
from loan_reminders.rendering.mime import address_header, alternative, one_line, text_header
from loan_reminders.rendering.templates import Templates

LANGUAGE = "fr"
UNTITLED = "Document sans titre"
PARTS = ("subject.txt.j2", "body.txt.j2", "body.html.j2")
FACTS = frozenset({
    "patron_name", "patron_barcode", "loans", "loan", "count", "due_date", "today", "days_left", "library", "language",
    "subject",
})  # fmt: skip
"""Every name that a template for e-mail may use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailLine:
    """One document of an e-mail, every text on one line; `titled` is False when the ILS holds no title."""

    title: str
    titled: bool
    author: str
    call_number: str
    branch: str
    item_barcode: str
    due_date: date


def check_email_templates(templates: Templates, stage: Stage) -> None:
    """Make sure that a stage's e-mail can be written, before a run starts. Raises TemplateError."""
    templates.check([f"{stage}/email/{part}" for part in PARTS], known=FACTS)


class EmailRenderer:
    """Writes the e-mails of one run.

    `sender` is the From header, `Name <address>`. `written_at` (with its time zone) is the Date header of every
    message. `message_id_domain` is the right-hand side of Message-ID; its left is the delivery's id, so that a
    message sent again after a doubt is recognised by the reader's mail program. A reader whose language has a folder
    below the stage (`templates/<stage>/<language>/email/`) is written to in it. May be shared between threads.

    Raises SettingsError when `sender`, `reply_to`, `written_at` or `message_id_domain` cannot go into a header.
    """

    def __init__(
        self,
        templates: Templates,
        *,
        library: LibraryIdentity,
        sender: str,
        reply_to: str,
        message_id_domain: str,
        written_at: datetime,
    ) -> None:
        if written_at.tzinfo is None:
            raise SettingsError("La date des e-mails doit avoir un fuseau horaire.")
        self._templates = templates
        self._library = library
        self._branches = {branch.code: one_line(branch.name) for branch in library.branches}
        self._domain = _domain(message_id_domain)
        self._words: dict[tuple[Stage, str], tuple[str, str]] = {}
        name, _, address = sender.rpartition("<")
        author = address_header(name.strip().strip('"'), _address(address.rstrip("> ")))
        self._constant_headers = (
            f"From: {author}\r\n"
            f"Reply-To: {_address(reply_to)}\r\n"
            f"Date: {format_datetime(written_at)}\r\n"
            "Auto-Submitted: auto-generated\r\n"
        )

    def render(self, delivery: Delivery, *, today: date, meant_for: str = "") -> RenderedEmail:
        """One e-mail, true on the day `today`; the subject of a redirected one begins with whom it was meant for.

        Raises TemplateError, or RecipientError when it is not for an e-mail."""
        recipient = delivery.recipient
        if not isinstance(recipient, EmailAddress):
            raise RecipientError(Refusal.NOT_AN_ADDRESS)
        patron = delivery.notice.patron
        folder, language = self._words_for(delivery.notice.stage, patron.language)
        facts = self._facts(delivery, today, language)
        facts["subject"] = one_line(self._templates.render(f"{folder}/subject.txt.j2", facts))
        if meant_for:
            facts["subject"] = f"[Essai, pour {one_line(meant_for)}] {facts['subject']}"
        message_id = f"<{delivery.delivery_id}@{self._domain}>"
        headers = (
            f"{self._constant_headers}"
            f"To: {address_header(patron.name, recipient.value)}\r\n"
            f"Subject: {text_header(facts['subject'])}\r\n"
            f"Message-ID: {message_id}\r\n"
            f"Content-Language: {language}\r\n"
        )
        content = alternative(
            headers,
            boundary=f"=_{delivery.delivery_id.hex}",
            text=self._templates.render(f"{folder}/body.txt.j2", facts),
            html=self._templates.render(f"{folder}/body.html.j2", facts),
        )
        return RenderedEmail(
            delivery_id=delivery.delivery_id, recipient=recipient, message_id=message_id, content=content
        )

    def _facts(self, delivery: Delivery, today: date, language: str) -> dict[str, Any]:
        """What templates may name: who, which documents, when as seen from today, and the library."""
        notice = delivery.notice
        return {
            "patron_name": one_line(notice.patron.name),
            "patron_barcode": one_line(notice.patron.barcode),
            "loans": [self._line(loan) for loan in delivery.loans],
            "count": len(delivery.loans),
            "due_date": notice.due_date,
            "today": today,
            "days_left": (notice.due_date - today).days,
            "library": self._library,
            "language": language,
        }

    def _line(self, loan: Loan) -> EmailLine:
        title, volume, branch = one_line(loan.title), one_line(loan.volume), one_line(loan.branch)
        return EmailLine(
            title=", ".join(part for part in (title or UNTITLED, volume) if part),
            titled=bool(title),
            author=one_line(loan.author),
            call_number=one_line(loan.call_number),
            branch=self._branches.get(branch, branch),
            item_barcode=one_line(loan.item_barcode),
            due_date=loan.due_date,
        )

    def _words_for(self, stage: Stage, language: str) -> tuple[str, str]:
        """The folder of a stage's templates in the reader's language, or else in French, and the language kept."""
        found = self._words.get((stage, language))
        if found is None:
            translated = f"{stage}/{language}/email"
            if language.isalpha() and all(self._templates.exists(f"{translated}/{part}") for part in PARTS):
                found = translated, language
            else:
                found = f"{stage}/email", LANGUAGE
            self._words[stage, language] = found
        return found


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
