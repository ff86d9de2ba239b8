"""Messages made for a look: of made-up readers, an ordinary one and one with extreme data, or of one real loan."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from loan_reminders.domain.clock import Clock
from loan_reminders.domain.email.identity import EmailIdentity
from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.letters.batches import LetterLayout
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.loans import Loan, Patron
from loan_reminders.domain.notices import Delivery, Notice
from loan_reminders.domain.recipients import EmailAddress, MobileNumber, PostalAddress, Recipient
from loan_reminders.domain.sms.text import (
    ONE_SEGMENT,
    SEVERAL_SEGMENTS,
    DearCharacter,
    TextRules,
    dear_characters,
    septets,
)
from loan_reminders.domain.stages import Channel, PatronCategory, Policy, Stage
from loan_reminders.domain.states import Refusal
from loan_reminders.french.pages.messages import survey_words
from loan_reminders.rendering.template_folders import TemplatePlace
from loan_reminders.services.compose import email_composer

ORDINARY, EXTREME = "exemple", "extreme"

_EMAIL = EmailAddress(value="camille.martin@etu.example.org")
_MOBILE = MobileNumber(value="33639980001")
_ADDRESS = PostalAddress(lines=("MME CAMILLE MARTIN", "12 RUE DES LILAS", "06000 NICE"), postcode="06000")
_RECIPIENTS: dict[Channel, Recipient] = {
    Channel.EMAIL: _EMAIL, Channel.SMS: _MOBILE, Channel.LETTER: _ADDRESS, Channel.REGISTERED_LETTER: _ADDRESS,
}  # fmt: skip

_ORDINARY = (
    ("Introduction à l'économie", "Durand, Anne", "330 DUR"),
    ("Les misérables", "Hugo, Victor", "840 HUG"),
    ("Droit administratif : cours, thèmes de réflexion, commentaires d'arrêts", "Lebreton, Gilles", "342 LEB"),
)
_EXTREME = (
    ("Traité de tout. " * 700, "Auteur, Très long " * 40, "A" * 300),
    ("", "", ""),
    ("ألف ليلة وليلة", "مؤلف مجهول", "892.7 ALF"),
    ("红楼梦 📚 Жизнь и судьба, Ελληνικά", "Гроссман, Василий", "891 GRO"),
    ("<b>Titre</b> & {{ 7 * 7 }} #eval(1) \r\nBcc: tous@example.org\x00\ud800", 'O\'Brien "Jo" <x>', "R&D <1>"),
    ("Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2, "", "1"),
)
_LONG_LIST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One message to show: its delivery, the day it is written on, and which reader it is about."""

    name: str
    delivery: Delivery
    today: date


def samples(
    policy: Policy, library: LibraryIdentity, *, stage: Stage, channel: Channel, language: str, today: date
) -> Iterator[Sample]:
    """An ordinary message and an extreme one: titles of 10 kB, every script, markup, control characters, 60 loans."""
    due_date = policy.rule(stage).due_date_on(today)
    for name in (ORDINARY, EXTREME):
        texts = list(_ORDINARY if name == ORDINARY else _EXTREME)
        if name == EXTREME:
            texts += [_ORDINARY[number % len(_ORDINARY)] for number in range(_LONG_LIST - len(texts))]
        patron = Patron(
            patron_id="P1",
            barcode="2100000000017",
            name="Camille Martin" if name == ORDINARY else "مريم Zoé\r\nBcc: x@example.org " + "de la Très Longue " * 8,
            category=PatronCategory.STUDENT,
            language=language,
            email=_EMAIL,
            mobile=_MOBILE,
            address=_ADDRESS,
        )
        codes = [branch.code for branch in library.branches] or ["BU"]
        loans = tuple(
            Loan(
                loan_id=f"L{number}",
                due_date=due_date,
                loan_date=due_date - timedelta(days=28),
                renewal_count=0,
                patron=patron,
                title=title,
                author=author,
                call_number=call_number,
                volume="",
                item_barcode=f"0935{number:06d}",
                branch=codes[number % len(codes)] if name == ORDINARY or number else "SANS-NOM",
                item_status="01",
                price_text="35,00 EUR",
            )
            for number, (title, author, call_number) in enumerate(texts)
        )
        notice = Notice(notice_id=uuid.UUID(int=1), stage=stage, patron=patron, due_date=due_date, loans=loans)
        delivery = Delivery(
            delivery_id=uuid.uuid5(uuid.NAMESPACE_URL, f"{stage}/{channel}/{language}/{name}"),
            notice=notice,
            channel=channel,
            recipient=_RECIPIENTS[channel],
            loans=loans,
        )
        yield Sample(name=name, delivery=delivery, today=today)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a message, in words, and the file that holds its sentences, below the installation's folder."""

    words: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailPreview:
    """An e-mail as its reader sees it."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPreview:
    """An SMS as its reader sees it, what it costs, and the characters that make its template dear."""

    text: str
    septets: int
    segments: int
    room: int
    dear: tuple[DearCharacter, ...]


class Previews:
    """The messages of one library, made for a look and never sent, in the words of `templates`."""

    def __init__(
        self,
        templates: TemplatePlace,
        *,
        identity: EmailIdentity,
        rules: TextRules,
        layout: LetterLayout,
        clock: Clock,
    ) -> None:
        self._templates = templates
        self._identity = identity
        self._rules = rules
        self._layout = layout
        self._clock = clock

    def languages(self, stage: Stage, channel: Channel) -> dict[str, str]:
        """The languages that a stage's channel is written in, with their French names."""
        from loan_reminders.rendering.languages import locale_of
        from loan_reminders.rendering.templates import Templates

        found = Templates(self._templates).languages(stage, channel)
        return {language: str(locale_of(language).get_display_name("fr")).split(" (")[0] for language in found}

    def email(self, delivery: Delivery) -> EmailPreview:
        """An e-mail. Raises TemplateError or RecipientError."""
        compose = email_composer(
            self._templates, self._identity.for_a_look(), stage=delivery.notice.stage, clock=self._clock
        )
        mail = compose(delivery)
        message = message_from_bytes(mail.content, policy=policy.default)
        part = message.get_body(("html",)) if isinstance(message, EmailMessage) else None
        return EmailPreview(subject=mail.subject, text=mail.text, html=str(part.get_content()) if part else "")

    def sms(self, delivery: Delivery) -> TextPreview:
        """An SMS. Raises TemplateError, TextTooLong or RecipientError."""
        from loan_reminders.rendering.sms.renderer import SmsRenderer
        from loan_reminders.rendering.templates import Templates

        renderer = SmsRenderer(
            Templates(self._templates),
            library=self._identity.library,
            max_segments=self._rules.max_segments,
            opt_out_mention=self._rules.opt_out_mention,
        )
        today = self._clock().date()
        text = renderer.render(delivery, today=today)
        return TextPreview(
            text=text.text,
            septets=septets(text.text),
            segments=text.segments,
            room=ONE_SEGMENT if text.segments == 1 else SEVERAL_SEGMENTS * text.segments,
            dear=dear_characters(renderer.written(delivery, today=today)),
        )

    def letter(self, delivery: Delivery, *, word: str, line: str) -> tuple[bytes, ...]:
        """The pages of a letter as PNG images, `word` pale across each and `line` small at its head.

        Raises TemplateError, LettersNotPrinted or RecipientError. It takes a second or two.
        """
        from loan_reminders.rendering.letters.copies import Stamp
        from loan_reminders.rendering.letters.page_images import page_image
        from loan_reminders.rendering.letters.renderer import LetterRenderer

        renderer = LetterRenderer(self._templates, library=self._identity.library, workers=1, layout=self._layout)
        today = self._clock().date()
        letter = renderer.letter(delivery, today=today)
        with tempfile.TemporaryDirectory(prefix="apercu-") as scratch:
            batch = renderer.print_batch(
                [letter], stage=delivery.notice.stage, kind=delivery.channel, today=today, folder=Path(scratch)
            )
            if not batch.pdfs:
                return ()
            stamp = Stamp(word=word, line=line)
            return tuple(page_image(batch.pdfs[0], number, stamp=stamp) for number in range(1, batch.pages + 1))

    def parts(self, stage: Stage, channel: Channel, language: str) -> list[Part]:
        """Which file holds which sentences of a message, those that exist."""
        own = f"{stage}/{channel}" if language == "fr" else f"{stage}/{language}/{channel}"
        around = "_layouts" if language == "fr" else f"_layouts/{language}"
        if channel is Channel.EMAIL:
            named = [
                ("Objet", f"{own}/subject.txt.j2"),
                ("Message, conseil et remerciement", f"{own}/words.txt.j2"),
                ("Salutation, bouton, titres du tableau", f"{around}/email/labels.j2"),
                ("Mise en page HTML", self._nearest(own, "body.html.j2")),
                ("Mise en page du texte", self._nearest(own, "body.txt.j2")),
                ("Couleurs et caractères", "_layouts/email/style.css"),
            ]
        elif channel is Channel.SMS:
            named = [
                ("Texte", f"{own}/text.txt.j2"),
                ("Forme courte, si l'autre ne tient pas", f"{own}/short.txt.j2"),
                ("Premier SMS à un numéro", f"{own}/first.txt.j2"),
                ("Sa forme courte", f"{own}/first_short.txt.j2"),
            ]
        else:
            named = [
                ("Texte de la lettre", f"{stage}/{channel}/letter.typ"),
                ("En-tête, fenêtre, tableau et signature", "_layouts/letter.typ"),
            ]
        found = [Part(words=words, file=f"templates/{file}") for words, file in named if self._exists(file)]
        if channel is Channel.EMAIL and self._identity.survey is not None:
            found.append(Part(words=survey_words(self._identity.survey), file="library.toml, [survey]"))
        if channel is Channel.SMS:
            found.append(Part(words="Mention STOP", file="library.toml, [sms] opt_out_mention"))
        found.append(Part(words="Nom, adresses et horaires de la bibliothèque", file="library.toml, [library]"))
        return found

    def _nearest(self, own: str, name: str) -> str:
        return f"{own}/{name}" if self._exists(f"{own}/{name}") else f"_layouts/email/{name}"

    def _exists(self, file: str) -> bool:
        return (self._templates / file).is_file()


def real_delivery(loan: Loan, *, stage: Stage, channel: Channel) -> Delivery:
    """The message that a reader would get about one real loan. Raises RecipientError when he has no such contact."""
    patron = loan.patron
    recipient = {Channel.EMAIL: patron.email, Channel.SMS: patron.mobile}.get(channel, patron.address)
    if isinstance(recipient, Refusal):
        raise RecipientError(recipient)
    notice = Notice(notice_id=uuid.UUID(int=2), stage=stage, patron=patron, due_date=loan.due_date, loans=(loan,))
    return Delivery(
        delivery_id=uuid.uuid5(uuid.NAMESPACE_URL, f"{stage}/{channel}/vrai"),
        notice=notice,
        channel=channel,
        recipient=recipient,
        loans=(loan,),
    )
