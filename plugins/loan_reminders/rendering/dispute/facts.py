"""What the page of a loan's file receives: every text one that its fonts can draw, in the order it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Any

from loan_reminders.domain.dispute.loan_file import DeliveryRecord, Dispute, LetterFacts, LetterStep, RegisteredFacts
from loan_reminders.domain.letters.batches import BatchState
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from loan_reminders.french.days import day_words, second_words
from loan_reminders.french.desk import not_reached_words
from loan_reminders.french.letters import (
    ACTS_IN_FILE,
    BATCHES_IN_FILE,
    REGISTERED_IN_FILE,
    RETURNS_IN_FILE,
    step_detail_words,
)
from loan_reminders.french.words import BOUNCES, REASONS, SLOTS, SOURCES, STAGES, SUPPRESSIONS
from loan_reminders.rendering.dispute import words
from loan_reminders.rendering.letters.fonts import FontSet
from loan_reminders.rendering.letters.text import UNTITLED, breakable, one_line

LONGEST_TEXT = 50_000
LONGEST_ANSWER = 4_000
_LONGEST_WORD = 24

Pairs = list[list[str]]


class DisputeFacts:
    """Makes the facts of one loan's file; `made_at` is aware, `zone` that of the library's clock."""

    def __init__(self, dispute: Dispute, library: LibraryIdentity, fonts: FontSet, *, made_at: datetime, zone: tzinfo):
        self._dispute = dispute
        self._library = library
        self._fonts = fonts
        self._made_at = made_at
        self._zone = zone
        self.letters: list[tuple[DeliveryRecord, LetterFacts]] = []

    def facts(self) -> dict[str, Any]:
        """Values for JSON. Afterwards `letters` are those whose pages follow, in the order of their pieces."""
        dispute = self._dispute
        deliveries = [self._delivery(number, one) for number, one in enumerate(dispute.deliveries, start=1)]
        return {
            "fonts": self._fonts.families,
            "library": self._text(self._library.name),
            "address": [self._text(line) for line in self._library.address_lines],
            "loan": self._text(dispute.loan_id),
            "made_at": self._moment(self._made_at),
            "loan_facts": self._loan(),
            "reader": self._reader(),
            "cycles": [
                [
                    day_words(cycle.due_date),
                    str(cycle.loan.renewal_count),
                    day_words(cycle.first_seen),
                    day_words(cycle.last_seen),
                ]
                for cycle in dispute.cycles
            ],
            "history": [[self._moment(at), self._text(what)] for at, what in self._history()],
            "deliveries": deliveries,
            "skips": [
                [
                    day_words(skip.day),
                    self._text(STAGES[skip.stage]),
                    day_words(skip.due_date),
                    "tout envoi" if skip.slot is None else SLOTS[skip.slot],
                    self._text(not_reached_words(skip.reason, skip.detail)),
                ]
                for skip in dispute.skips
            ],
            "suppressions": [
                [
                    self._text(" / ".join(words.recipient_lines(one.recipient))),
                    self._text(f"{SUPPRESSIONS[one.reason]} ({SOURCES[one.source]})"),
                    self._moment(one.since),
                    self._text(self._ended(one.until, one.lifted_at, one.lifted_by)),
                    self._text(one.detail),
                ]
                for one in dispute.suppressions
            ],
        }

    def _text(self, text: str, longest: int = _LONGEST_WORD, limit: int = LONGEST_ANSWER) -> str:
        return breakable(self._fonts.drawable(one_line(text, limit)), longest)

    def _moment(self, moment: datetime | None) -> str:
        return "" if moment is None else second_words(moment, zone=self._zone)

    def _pairs(self, pairs: Sequence[tuple[str, str]]) -> Pairs:
        return [[label, self._text(value, 40)] for label, value in pairs if value]

    def _loan(self) -> Pairs:
        if not self._dispute.cycles:
            return [["Document", "le registre n'a plus la description de ce prêt"]]
        loan = self._dispute.cycles[-1].loan
        return self._pairs(
            (
                ("Titre", loan.title or UNTITLED),
                ("Auteur", loan.author),
                ("Volume", loan.volume),
                ("Cote", loan.call_number),
                ("Code-barres", loan.item_barcode),
                ("Bibliothèque", self._library.branch(loan.branch).name),
                ("Prix", loan.price_text),
                ("Prêté le", day_words(loan.loan_date)),
                ("À rendre le", day_words(loan.due_date)),
                ("Prolongations", str(loan.renewal_count)),
            )
        )

    def _reader(self) -> Pairs:
        readers = {cycle.loan.patron.patron_id: cycle.loan.patron for cycle in self._dispute.cycles}
        return [pair for patron in readers.values() for pair in self._pairs(words.reader_words(patron))]

    def _history(self) -> Iterator[tuple[datetime, str]]:
        """What happened, in the order it did: answers, bounces, each step on paper, and what the reader answered."""
        happened: list[tuple[datetime, str]] = []
        for number, one in enumerate(self._dispute.deliveries, start=1):
            name = words.delivery_words(number, one)
            happened += [
                (answer.at, f"{name} : {words.state_words(one.channel, answer.state, answer.reason)}")
                for answer in one.answers
                if answer.applied
            ]
            happened += [(bounce.at, f"{name} : {BOUNCES[bounce.kind]} en retour") for bounce in one.bounces]
            happened += [(step.at, f"{name} : {ACTS_IN_FILE[step.act]}, par {step.who}") for step in one.steps]
            if one.state is DeliveryState.CLAIMED and one.claimed_at is not None:
                happened.append((one.claimed_at, f"{name} : envoi commencé, sans réponse à ce jour"))
        for reply in self._dispute.replies:
            happened.append((reply.at, f"{words.reply_words(reply.number)} : « {reply.text} »"))
            if reply.read_at is not None:
                happened.append((reply.read_at, f"{words.reply_words(reply.number)} : réglée, par {reply.read_by}"))
        yield from sorted(happened, key=lambda pair: pair[0])

    def _delivery(self, number: int, one: DeliveryRecord) -> dict[str, Any]:
        on_paper = one.channel in (Channel.LETTER, Channel.REGISTERED_LETTER)
        piece = -1
        if one.letter is not None and not one.redirected:  # the pages of a trial prove nothing, and must not be posted
            piece = len(self.letters)
            self.letters.append((one, one.letter))
        return {
            "title": words.delivery_words(number, one),
            "recipient": [self._text(line, 40) for line in words.recipient_lines(one.recipient)],
            "facts": self._pairs(
                (
                    ("Attention", words.REDIRECTED if one.redirected else ""),
                    ("Tournée du", day_words(one.day)),
                    ("Échéance du prêt", day_words(one.due_date)),
                    ("Documents", f"celui-ci et {one.documents - 1} de plus" if one.documents > 1 else "celui-ci seul"),
                    ("Prêt retiré de l'envoi", "" if one.dropped is None else REASONS[one.dropped]),
                    ("État", words.state_words(one.channel, one.state, one.reason)),
                    ("Tentatives", str(one.attempts)),
                    ("Dernière tentative", self._moment(one.claimed_at)),
                    ("Renvoi", "repris après un doute, marqué comme tel" if one.resent_in_doubt else ""),
                    ("Renvoyé par", one.resent_by),
                    ("Segments", str(one.segments) if one.channel is Channel.SMS and one.segments else ""),
                    ("Identifiant de l'envoi", str(one.delivery_id)),
                    ("Chez le prestataire", " / ".join(filter(None, (one.provider_id, one.campaign_id)))),
                )
            ),
            "letter": [] if one.letter is None else self._letter(one.letter),
            "registered": [] if one.registered is None else self._registered(one.registered),
            "piece": piece,
            "answers": [
                [
                    self._moment(answer.at),
                    self._text(
                        words.state_words(one.channel, answer.state, answer.reason)
                        + ("" if answer.applied else " (sans effet : venue trop tard)")
                    ),
                    self._text(" — ".join(filter(None, (answer.provider_id, words.raw_words(answer.raw)))) or "—"),
                ]
                for answer in one.answers
            ],
            "bounces": [
                [
                    self._moment(bounce.at),
                    self._text(f"{BOUNCES[bounce.kind]} {bounce.status}"),
                    self._text(" — ".join(filter(None, (bounce.recipient, bounce.diagnostic))) or "—"),
                ]
                for bounce in one.bounces
            ],
            "steps": [self._step(step) for step in one.steps],
            "paper": on_paper,
            "said": None if one.words is None else self._said(one.words.subject, one.words.body),
        }

    def _letter(self, letter: LetterFacts) -> Pairs:
        printed = letter.printed_at is not None
        return self._pairs(
            (
                ("Référence", letter.reference),
                ("Lot", f"{letter.batch} (n° {letter.batch_id}, {BATCHES_IN_FILE[letter.batch_state]})"),
                ("Pages dans le lot", f"{letter.first_page} à {letter.last_page}"),
                ("Laissée de côté", "" if letter.left_out is None else REASONS[letter.left_out]),
                ("Imprimée le", f"{self._moment(letter.printed_at)} par {letter.printed_by}" if printed else ""),
                ("Attention", "ce lot n'a pas été imprimé" if letter.batch_state is not BatchState.PRINTED else ""),
            )
        )

    def _registered(self, facts: RegisteredFacts) -> Pairs:
        reason = "" if facts.return_reason is None else RETURNS_IN_FILE[facts.return_reason]
        return self._pairs(
            (
                ("Recommandé", REGISTERED_IN_FILE[facts.state]),
                ("Numéro de recommandé", facts.tracking_number),
                ("Déposé le", day_words(facts.posted_on)),
                ("Avis de réception du", day_words(facts.acknowledged_on)),
                ("Revenu le", day_words(facts.returned_on)),
                ("Motif du retour", reason),
            )
        )

    def _step(self, step: LetterStep) -> list[str]:
        what = f"{ACTS_IN_FILE[step.act]}{' (tout le lot)' if step.whole_batch else ''}"
        changes = () if step.whole_batch else words.step_changes(step.before, step.after)
        return [
            self._moment(step.at),
            self._text(step.who),
            self._text(what),
            self._text(" ; ".join(filter(None, (step_detail_words(step.detail), *changes)))),
        ]

    def _said(self, subject: str, body: str) -> dict[str, Any]:
        """The words line by line; indentation stays."""
        kept = body[:LONGEST_TEXT]
        lines = []
        for line in kept.replace("\r\n", "\n").split("\n"):
            indent = len(line) - len(line.lstrip(" "))
            lines.append("\u00a0" * min(indent, 20) + self._text(line, 60, LONGEST_TEXT))
        while lines and not lines[-1].strip("\u00a0"):
            lines.pop()
        return {"subject": self._text(subject, 60), "lines": lines, "cut": len(kept) < len(body)}

    def _ended(self, until: datetime | None, lifted_at: datetime | None, lifted_by: str) -> str:
        if lifted_at is not None:
            return f"levée le {self._moment(lifted_at)} ({lifted_by})"
        return "" if until is None else f"jusqu'au {self._moment(until)}"
