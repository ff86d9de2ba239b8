"""Builders of values with sensible defaults: a test names only what it is about."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from loan_reminders.domain.library import Branch, LibraryIdentity
from loan_reminders.domain.loans import Loan, Patron
from loan_reminders.domain.messages import RenderedEmail
from loan_reminders.domain.notices import Delivery, Notice
from loan_reminders.domain.recipients import EmailAddress, MobileNumber, PostalAddress, Recipient
from loan_reminders.domain.stages import Channel, PatronCategory, Stage

DUE_DATE = date(2026, 11, 26)
OFFSETS = {
    Stage.COURTESY_NOTICE: -2,
    Stage.OVERDUE_NOTICE: 1,
    Stage.FIRST_REMINDER: 8,
    Stage.SECOND_REMINDER: 15,
    Stage.REGISTERED_LETTER: 21,
}


def an_email(value: str = "camille.martin@etu.example.fr") -> EmailAddress:
    return EmailAddress(value=value)


def a_mobile(value: str = "33639980001") -> MobileNumber:
    return MobileNumber(value=value)


def an_address(*lines: str, postcode: str = "06000") -> PostalAddress:
    return PostalAddress(lines=lines or ("MME CAMILLE MARTIN", "12 RUE DES LILAS", "06000 NICE"), postcode=postcode)


def a_patron(**changes: Any) -> Patron:
    values: dict[str, Any] = {
        "patron_id": "P1",
        "barcode": "2100000000017",
        "name": "Camille Martin",
        "category": PatronCategory.STUDENT,
        "language": "fr",
        "email": an_email(),
        "mobile": a_mobile(),
        "address": an_address(),
    }
    return Patron(**{**values, **changes})


def a_loan(**changes: Any) -> Loan:
    """A loan of 28 days; `patron` may be given, and `due_date` moves `loan_date` along unless both are given."""
    due_date = changes.get("due_date", DUE_DATE)
    values: dict[str, Any] = {
        "loan_id": "L1",
        "due_date": due_date,
        "loan_date": due_date - timedelta(days=28),
        "renewal_count": 0,
        "patron": changes.get("patron") or a_patron(),
        "title": "Introduction à l'économie",
        "author": "Durand, Anne",
        "call_number": "330 DUR",
        "volume": "",
        "item_barcode": "0935000123",
        "branch": "SJA",
        "item_status": "01",
        "price_text": "35,00 EUR",
    }
    return Loan(**{**values, **changes})


def some_loans(count: int, *, patron: Patron | None = None, **changes: Any) -> tuple[Loan, ...]:
    """Loans of one reader, told apart by `loan_id`, barcode and title."""
    patron = patron or a_patron()
    return tuple(
        a_loan(
            **{
                "loan_id": f"L{number}",
                "item_barcode": f"0935{number:06d}",
                "title": f"Titre n° {number}",
                "patron": patron,
                **changes,
            }
        )
        for number in range(1, count + 1)
    )


def a_notice(
    *,
    stage: Stage = Stage.OVERDUE_NOTICE,
    loans: tuple[Loan, ...] | None = None,
    patron: Patron | None = None,
    **changes: Any,
) -> Notice:
    loans = loans or (a_loan(patron=patron or a_patron()),)
    values: dict[str, Any] = {
        "stage": stage,
        "patron": patron or loans[0].patron,
        "due_date": loans[0].due_date,
        "loans": loans,
    }
    return Notice(**{**values, **changes})


def a_delivery(
    *,
    channel: Channel = Channel.EMAIL,
    notice: Notice | None = None,
    stage: Stage | None = None,
    loans: tuple[Loan, ...] | None = None,
    patron: Patron | None = None,
    recipient: Recipient | None = None,
    delivery_id: uuid.UUID | None = None,
) -> Delivery:
    """A delivery by `channel` to the reader's matching recipient; `stage` defaults to one that uses the channel."""
    if stage is None:
        stage = Stage.REGISTERED_LETTER if channel is Channel.REGISTERED_LETTER else Stage.OVERDUE_NOTICE
        if channel is Channel.LETTER:
            stage = Stage.FIRST_REMINDER
    notice = notice or a_notice(stage=stage, loans=loans, patron=patron)
    if recipient is None:
        owner = notice.patron
        found = {Channel.EMAIL: owner.email, Channel.SMS: owner.mobile}.get(channel, owner.address)
        if not isinstance(found, EmailAddress | MobileNumber | PostalAddress):
            raise ValueError(f"this reader has no usable recipient for {channel}")
        recipient = found
    return Delivery(
        delivery_id=delivery_id or uuid.uuid4(),
        notice=notice,
        channel=channel,
        recipient=recipient,
        loans=notice.loans,
    )


def today_for(stage: Stage, due_date: date = DUE_DATE) -> date:
    """The day on which a stage falls in the library's usual procedure."""
    return due_date + timedelta(days=OFFSETS[stage])


def a_library(**changes: Any) -> LibraryIdentity:
    values: dict[str, Any] = {
        "name": "Bibliothèque universitaire de Démonstration",
        "short_name": "BU",
        "address_lines": ("Bibliothèque universitaire", "1 avenue du Campus", "06000 NICE"),
        "email": "prets@bu.example.fr",
        "phone": "04 00 00 00 00",
        "website": "https://bu.example.fr",
        "account_url": "https://bu.example.fr/compte",
        "account_label": "onglet « Mon compte »",
        "branches": (
            Branch(
                code="SJA",
                name="BU Saint-Jean d'Angély",
                hours="lundi-vendredi 8h-20h",
                address="24 avenue des Diables Bleus, 06300 NICE",
            ),
            Branch(code="VALROSE", name="BU Sciences Valrose", hours="lundi-vendredi 8h30-19h", address="06100 NICE"),
        ),
    }
    return LibraryIdentity(**{**values, **changes})


def a_mail(to: str = "camille@etu.example.fr", content: bytes = b"Subject: x\r\n\r\nBonjour\r\n") -> RenderedEmail:
    """A rendered e-mail with its own Message-ID in front of `content`."""
    delivery_id = uuid.uuid4()
    message_id = f"<{delivery_id}@bu.example.fr>"
    return RenderedEmail(
        delivery_id=delivery_id,
        recipient=EmailAddress(value=to),
        message_id=message_id,
        content=b"Message-ID: " + message_id.encode() + b"\r\n" + content,
    )
