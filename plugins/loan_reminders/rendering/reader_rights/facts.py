"""What the pages of a reader's data receive: every text one that the fonts can draw, in the order it is shown.

What left, was answered and was left out is told as in the file of a loan, for all of his loans at once. The names of
the library's own people are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, tzinfo
from typing import Any

from loan_reminders.domain.dispute.loan_file import DeliveryRecord, Dispute
from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.reader_rights.everything import Everything, Row
from loan_reminders.domain.readers.amendments import AmendedField, AmendmentEnd
from loan_reminders.domain.readers.corrections import ContactFault
from loan_reminders.domain.recipients import EmailAddress, MobileNumber, PostalAddress
from loan_reminders.domain.sms.feedback import AckStatus
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import SkipReason
from loan_reminders.domain.statistics.loan_ends import LoanEnd
from loan_reminders.domain.suppressions.suppression import SuppressionReason, SuppressionSource
from loan_reminders.french.days import day_words
from loan_reminders.french.desk import RECEIPTS, not_reached_words
from loan_reminders.french.pages.corrections import FAULTS
from loan_reminders.french.pages.journal import KINDS
from loan_reminders.french.pages.reader_rights import ENDS, FIELDS, LOAN_ENDS, REFUSED_CHANNELS, TABLES
from loan_reminders.french.words import CONTACTS, REFUSALS, SOURCES, SUPPRESSIONS
from loan_reminders.rendering.dispute import words
from loan_reminders.rendering.dispute.facts import DisputeFacts
from loan_reminders.rendering.letters.fonts import FontSet
from loan_reminders.rendering.letters.text import UNTITLED

SOMEBODY = "la bibliothèque"
"""Who did what, for the reader: no agent's name is given."""

Information = Sequence[tuple[str, str]]


def all_loans(loans: Iterable[Dispute]) -> Dispute:
    """The files of some loans as one, each message once, without anybody's name.

    Suppressions are told of the reader, whatever loans are kept of him: see `ReaderFacts`.
    """
    loans = tuple(loans)
    deliveries = {one.delivery_id: _without_names(one) for loan in loans for one in loan.deliveries}
    return Dispute(
        loan_id="",
        cycles=tuple(sorted((one for loan in loans for one in loan.cycles), key=lambda one: one.due_date)),
        deliveries=tuple(sorted(deliveries.values(), key=lambda one: (one.day, one.channel.value))),
        skips=tuple(sorted((one for loan in loans for one in loan.skips), key=lambda one: one.day)),
        suppressions=(),
    )


def _without_names(one: DeliveryRecord) -> DeliveryRecord:
    return replace(
        one,
        resent_by=SOMEBODY if one.resent_by else "",
        letter=None if one.letter is None else replace(one.letter, printed_by=SOMEBODY),
        steps=tuple(replace(step, who=SOMEBODY) for step in one.steps),
    )


class ReaderFacts(DisputeFacts):
    """Makes the facts of one reader's data; `made_at` is aware, `zone` that of the library's clock."""

    def __init__(
        self,
        everything: Everything,
        library: LibraryIdentity,
        fonts: FontSet,
        *,
        made_at: datetime,
        zone: tzinfo,
        told: Information,
    ) -> None:
        self._all = all_loans(everything.loans)
        super().__init__(self._all, library, fonts, made_at=made_at, zone=zone)
        self._everything = everything
        self._told = told

    def facts(self) -> dict[str, Any]:
        """Values for JSON. Afterwards `letters` are those whose pages follow, in the order of their pieces."""
        shared = super().facts()
        titles = self._titles()
        for record, one in zip(self._all.deliveries, shared["deliveries"], strict=True):
            named = titles.get(str(record.delivery_id), [])
            one["facts"] = [
                ["Documents", self._text(" ; ".join(named), 40)] if label == "Documents" and named else [label, value]
                for label, value in one["facts"]
            ]
        return {
            **shared,
            "loan": "",
            "suppressions": [self._suppression(one) for one in self._everything.rows.get("suppressions", ())],
            "reader": self._who(),
            "contacts": self._contacts(),
            "told": [[label, self._text(value, 60)] for label, value in self._told],
            "counts": [[self._text(TABLES[table], 60), str(number)] for table, number in self._counts()],
            "loans": [self._loan_line(number) for number in range(len(self._all.cycles))],
            "sections": [
                {
                    "title": title,
                    "head": list(head),
                    "lines": [[self._text(cell, 40) for cell in line] for line in lines],
                }
                for title, head, lines in self._sections()
                if lines
            ],
        }

    def _suppression(self, row: Row) -> list[str]:
        reason, source = SuppressionReason(str(row["reason"])), SuppressionSource(str(row["source"]))
        cells = (
            _recipient_words(Channel(str(row["channel"])), str(row["recipient"])),
            f"{SUPPRESSIONS[reason]} ({SOURCES[source]})",
            self._at(row, "since"),
            self._ended(_instant(row["until"]), _instant(row["lifted_at"]), SOMEBODY),
            str(row["detail"]),
        )
        return [self._text(cell) for cell in cells]

    def _counts(self) -> Iterator[tuple[str, int]]:
        yield from self._everything.counts.items()

    def _who(self) -> list[list[str]]:
        patron, reader = self._everything.patron, self._everything.reader
        pairs = words.reader_words(patron) if patron else (("Lecteur", reader.name), ("Carte", reader.card))
        named = [*pairs, ("Langue", "" if patron is None else patron.language)]
        return self._pairs([*named, ("Vu dans le SIGB", day_words(reader.last_seen_on))])

    def _contacts(self) -> list[list[str]]:
        patron = self._everything.patron
        if patron is None:
            reader = self._everything.reader
            return self._pairs((("E-mail", reader.email), ("Mobile", reader.mobile)))
        found = ((Channel.EMAIL, patron.email), (Channel.SMS, patron.mobile), (Channel.LETTER, patron.address))
        return self._pairs(
            [
                (
                    CONTACTS[channel].capitalize(),
                    ", ".join(words.recipient_lines(contact))
                    if isinstance(contact, EmailAddress | MobileNumber | PostalAddress)
                    else f"inutilisable : {REFUSALS[contact]}",
                )
                for channel, contact in found
            ]
        )

    def _titles(self) -> dict[str, list[str]]:
        """The titles of the documents that each message names."""
        title = {cycle.loan.loan_id: cycle.loan.title or UNTITLED for cycle in self._all.cycles}
        named: dict[str, list[str]] = {}
        for claim in self._everything.rows.get("delivery_loans", ()):
            named.setdefault(str(claim["delivery_id"]), []).append(title.get(str(claim["loan_id"]), UNTITLED))
        return named

    def _loan_line(self, number: int) -> list[str]:
        cycle = self._all.cycles[number]
        loan = cycle.loan
        about = " · ".join(filter(None, (loan.author, loan.call_number, loan.item_barcode, loan.price_text)))
        end = next(
            (
                one for one in self._everything.rows.get("loan_ends", ())
                if one["loan_id"] == loan.loan_id and one["due_date"] == cycle.due_date.isoformat()
            ),
            None,
        )  # fmt: skip
        return [
            self._text(f"{loan.title or UNTITLED}{f' ({about})' if about else ''}", 40),
            self._text(self._library.branch(loan.branch).name, 40),
            day_words(loan.loan_date),
            day_words(cycle.due_date),
            self._text(_end_words(end), 40),
        ]

    def _sections(self) -> Iterator[tuple[str, Sequence[str], list[list[str]]]]:
        rows = self._everything.rows
        yield "Oppositions", ("Depuis le", "Quoi", "Motif", "Fin"), [
            [self._at(one, "at"), REFUSED_CHANNELS[Channel(str(one["channel"]))], str(one["reason"]),
             self._at(one, "lifted_at")]
            for one in rows.get("objections", ())
        ]  # fmt: skip
        yield "Rectifications", ("Depuis le", "Quoi", "À la place du SIGB", "Motif", "Fin"), [
            [self._at(one, "at"), FIELDS[AmendedField(str(one["field"]))], _value_words(one["value"]),
             str(one["reason"]), _amendment_end(one, self._at(one, "ended_at"))]
            for one in rows.get("amendments", ())
        ]  # fmt: skip
        yield "Ce qu'il a dit des SMS", ("Depuis le", "Quoi"), [
            [self._at(one, "at"), "en veut" if one["choice"] == "yes" else "n'en veut pas"]
            for one in rows.get("sms_choices", ())
        ]  # fmt: skip
        yield "Ne pas écrire", ("Depuis le", "Jusqu'au", "Quoi", "Motif", "Levée"), [
            [self._at(one, "at"), _day(one["until"]), str(one["title"]) or "tout", str(one["reason"]),
             self._at(one, "lifted_at")]
            for one in rows.get("holds", ())
        ]  # fmt: skip
        yield "Litiges", ("Depuis le", "Jusqu'au", "Quoi", "Motif", "Clos"), [
            [self._at(one, "at"), _day(one["until"]), str(one["title"]) or "tout", str(one["reason"]),
             self._at(one, "closed_at")]
            for one in rows.get("disputes", ())
        ]  # fmt: skip
        yield "Coordonnées qui échouent", ("Depuis le", "Quoi", "Coordonnée", "Réglé le"), [
            [self._at(one, "since"), FAULTS[ContactFault(str(one["fault"]))], str(one["contact"]),
             self._at(one, "settled_at")]
            for one in rows.get("corrections", ())
        ]  # fmt: skip
        yield "Réponses par SMS", ("Reçue le", "Du numéro", "Texte"), [
            [self._at(one, "received_at") or self._at(one, "at"), f"+{one['phone_number']}", str(one["text"])]
            for one in rows.get("sms_replies", ())
        ]  # fmt: skip
        yield "Accusés et retours sans message connu", ("Reçu le", "Coordonnée", "Ce qui est dit"), [
            *(
                [self._at(one, "at"), f"+{one['phone_number']}", _receipt_words(one)]
                for one in rows.get("sms_acks", ()) if one["delivery_id"] is None
            ),
            *(
                [self._at(one, "at"), str(one["recipient"]), f"{one['status']} {one['diagnostic']} {one['raw']}"]
                for one in rows.get("mail_bounces", ()) if one["delivery_id"] is None
            ),
            *([self._at(one, "at"), str(one["about"]), str(one["said"])] for one in rows.get("put_aside", ())),
        ]  # fmt: skip
        yield "Lignes du SIGB qui n'ont pas pu être lues", ("Prêt", "Défaut", "Ligne"), [
            [str(one["loan_id"]), not_reached_words(SkipReason(str(one["reason"])), str(one["detail"])),
             _pairs_words(one["raw"])]
            for one in rows.get("skips", ()) if one["raw"] is not None
        ]  # fmt: skip
        yield "Ce qui a été fait à son sujet", ("Date et heure", "Geste", "Ce qui a été écrit"), [
            [self._at(one, "at"), KINDS.get(str(one["act"]), str(one["act"])), str(one["detail"])]
            for one in rows.get("journal", ()) if one["act"] in set(JournalAct)
        ]  # fmt: skip

    def _at(self, row: Row, name: str) -> str:
        return self._moment(_instant(row[name]))


def _instant(text: object) -> datetime | None:
    return datetime.fromisoformat(str(text)) if text else None


def _recipient_words(channel: Channel, recipient: str) -> str:
    """A number or an address as the ledger writes it, as one reads it."""
    if channel is Channel.SMS:
        return f"+{recipient}"
    return recipient if channel is Channel.EMAIL else " / ".join(json.loads(recipient)["lines"])


def _day(text: object) -> str:
    return day_words(date.fromisoformat(str(text))) if text else ""


def _end_words(end: Row | None) -> str:
    if end is None or not end["is_loan"]:
        return ""
    if end["ended_on"] is None:
        return f"encore ouvert le {_day(end['open_on'])}"
    return f"{LOAN_ENDS[LoanEnd(str(end['how']))]}, su le {_day(end['ended_on'])}"


def _receipt_words(one: Row) -> str:
    """What a receipt says, and all that came with it."""
    said = " : ".join(filter(None, (RECEIPTS[AckStatus(str(one["status"]))], str(one["comment"]))))
    return " — ".join(filter(None, (said, _pairs_words(one["raw"]))))


def _pairs_words(raw: object) -> str:
    """What came as JSON, a name and its value each: `numéro : 12 ; état : 3`; anything else as it came."""
    try:
        read = json.loads(raw) if isinstance(raw, str) else raw
    except ValueError:
        read = raw
    if not isinstance(read, dict):
        return str(raw)
    if isinstance(read.get("patron"), dict):  # a whole loan that came twice, under the ledger's own names
        return " ; ".join(_values(read))
    return " ; ".join(f"{name} : {value}" for name, value in read.items() if value not in (None, ""))


def _values(read: object) -> Iterator[str]:
    """Each text and number of what came, however deep, without the names that only the program knows."""
    if isinstance(read, dict | list):
        for part in read.values() if isinstance(read, dict) else read:
            yield from _values(part)
    elif read not in (None, "") and not isinstance(read, bool):
        yield str(read)


def _value_words(value: Row) -> str:
    if "lines" in value:
        return ", ".join(value["lines"])
    return str(next(iter(value.values()), ""))


def _amendment_end(one: Row, at: str) -> str:
    return f"{at} : {ENDS[AmendmentEnd(str(one['how']))]}" if one["how"] else ""
