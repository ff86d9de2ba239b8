"""Made-up deliveries to preview a stage, channel and language: an ordinary reader, and one with extreme data."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.loans import Loan, Patron
from loan_reminders.domain.notices import Delivery, Notice
from loan_reminders.domain.recipients import EmailAddress, MobileNumber, PostalAddress, Recipient
from loan_reminders.domain.stages import Channel, PatronCategory, Policy, Stage

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
