"""What a reader's page says of messages: how far each came, why nothing left, and whether the reader was told."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from loan_reminders.domain.dispute.loan_file import Answer, DeliveryRecord, SuppressionRecord
from loan_reminders.domain.email.bounce_verdict import Cause, cause
from loan_reminders.domain.letters.batches import BatchState, RegisteredState
from loan_reminders.domain.readers.search import LastMessage
from loan_reminders.domain.readers.told import Outcome, Told
from loan_reminders.domain.stages import Channel, PatronCategory, Stage
from loan_reminders.domain.states import DeliveryState, Reason, Refusal
from loan_reminders.french.days import day_words, when_words
from loan_reminders.french.letters import REGISTERED_IN_FILE, RETURNS_IN_FILE
from loan_reminders.french.pages.not_said import because
from loan_reminders.french.words import (
    BOUNCES,
    CATEGORIES,
    ONE_LETTER_STATE,
    ONE_STATE,
    REASONS,
    REFUSALS,
    SUPPRESSIONS,
    stage_title,
)

S = DeliveryState
O = Outcome  # noqa: E741 - as S beside it

CAUSES = {
    Cause.NO_SUCH_ADDRESS: "cette adresse n'existe pas, ou plus",
    Cause.MAILBOX: "la boîte ne prend rien pour le moment, elle est pleine ou fermée",
    Cause.POLICY: "le serveur refuse ce message par une règle à lui",
    Cause.NOT_REACHED: "le serveur n'a pas pu être joint, ou a demandé d'attendre",
    Cause.OURS: "le serveur refuse les envois de la bibliothèque : prévenir l'administrateur",
    Cause.UNKNOWN: "le serveur n'a pas dit pourquoi",
}
"""Why a mail server would not take a message."""

_LAST = {
    O.ARRIVED: "Le dernier message est arrivé",
    O.LEFT: "Le dernier message est parti",
    O.WAITING: "Un message attend",
    O.IN_DOUBT: "Le dernier message est en doute",
    O.NOT_ARRIVED: "Le dernier message n'est pas arrivé",
    O.REDIRECTED: "Le dernier message était un essai",
}
TONES = {
    O.ARRIVED: "",
    O.LEFT: "",
    O.WAITING: "wait",
    O.IN_DOUBT: "wait",
    O.NOT_ARRIVED: "bad",
    O.CALLED_OFF: "off",
    O.REDIRECTED: "off",
}
"""The colour of an outcome, as a class of the style; none is good."""


class MessageWords:
    """Puts what became of messages into words, as read at `now` by the clock of `zone`."""

    def __init__(self, *, now: datetime, zone: tzinfo) -> None:
        self._now = now
        self._zone = zone

    def when(self, moment: datetime | None) -> str:
        """`hier à 10 h 03`, nothing for no moment."""
        return "" if moment is None else when_words(moment, now=self._now, zone=self._zone)

    def verdict(self, told: Told, title: str) -> tuple[str, str, str]:
        """The answer to « I was never told » about a document: a sentence, what it rests on, and its colour."""
        about = f"pour « {title} »"
        last = ""
        tone = "bad"
        if told.last is not None and told.outcome is not None:
            last = f"{_LAST[told.outcome]} : {self.became(told.last, told.outcome)}."
            tone = TONES[told.outcome]
        if told.times:
            number = "une fois" if told.times == 1 else f"{told.times} fois"
            return f"Prévenu {number} {about}.", last, "wait" if tone == "bad" else tone
        if told.outcome is O.WAITING:
            return f"Pas encore prévenu {about}.", last, "wait"
        if told.outcome is O.IN_DOUBT:
            return f"Peut-être prévenu {about}.", last, "wait"
        why = f"Le {day_words(told.why_not.day)} : {because(told.why_not)}." if told.why_not else ""
        return f"Jamais prévenu {about}.", " ".join(filter(None, (last, why))) or "Rien n'a encore été préparé.", "bad"

    def became(self, one: DeliveryRecord, how: Outcome) -> str:
        """What became of a message, as the end of a sentence."""
        if how is O.CALLED_OFF:
            return self._called_off(one)
        if how is O.REDIRECTED:
            return self._redirected(one)
        if one.channel is Channel.REGISTERED_LETTER and one.registered is not None:
            said = self._of_registered(one)
        elif one.channel in (Channel.LETTER, Channel.REGISTERED_LETTER):
            said = self._of_letter(one)
        else:
            said = self._of_message(one, how)
        return said

    def answers(self, one: DeliveryRecord) -> tuple[tuple[str, str], ...]:
        """What servers, operators and the post answered, each with its moment, in plain words."""
        said = [(answer.at, _answer_words(one.channel, answer)) for answer in one.answers]
        said += [
            (bounce.at, f"{BOUNCES[bounce.kind]} : {CAUSES[cause(bounce.diagnostic, status=bounce.status)]}")
            for bounce in one.bounces
        ]
        return tuple((self.when(at), words) for at, words in sorted(said, key=lambda pair: pair[0]))

    def suppression(self, one: SuppressionRecord) -> str:
        """Why a recipient is not written to any more."""
        return SUPPRESSIONS[one.reason]

    def suppression_ended(self, one: SuppressionRecord) -> str:
        """Until when a recipient is not written to, as the end of a sentence."""
        if one.lifted_at is not None:
            return f"levé {self.when(one.lifted_at)} par {one.lifted_by}"
        return (
            "sans limite de durée" if one.until is None else f"jusqu'au {day_words(one.until.astimezone(self._zone))}"
        )

    def _of_message(self, one: DeliveryRecord, how: Outcome) -> str:
        at = self.when(one.answers[-1].at if one.answers else one.claimed_at)
        if how is O.WAITING:
            return "il est prêt et n'est pas encore parti" if one.state is S.PLANNED else "l'envoi a commencé"
        if how is O.ARRIVED:
            who = "le serveur de messagerie l'a accepté" if one.channel is Channel.EMAIL else "le téléphone l'a reçu"
            return f"{who} {at}"
        if how is O.LEFT:
            return f"remis au prestataire {at}, sans accusé de réception à ce jour"
        if how is O.IN_DOUBT and one.bounces:
            bounce = one.bounces[-1]
            words = CAUSES[cause(bounce.diagnostic, status=bounce.status)]
            return f"le serveur l'a accepté, puis {BOUNCES[bounce.kind]} {self.when(bounce.at)} ({words})"
        if how is O.IN_DOUBT:
            why = f" ({REASONS[one.reason]})" if one.reason else ""
            # What was stopped later began when it was claimed.
            began = self.when(one.claimed_at) if one.reason in _STOPPED_LATER else at
            return f"on ne sait pas s'il est parti {began}{why}"
        state = ONE_STATE[one.state]
        return f"{state} {at} : {_why_refused(one)}"

    def _redirected(self, one: DeliveryRecord) -> str:
        at = self.when(one.claimed_at)
        if one.channel in (Channel.LETTER, Channel.REGISTERED_LETTER):
            return f"lettre d'essai composée {at}, à ne pas poster : le lecteur n'en a rien reçu"
        return f"envoyé {at} à une adresse d'essai de la bibliothèque : le lecteur n'en a rien reçu"

    def _of_letter(self, one: DeliveryRecord) -> str:
        letter = one.letter
        if one.state in (S.BOUNCED, S.REFUSED, S.FAILED, S.IN_DOUBT):
            why = f" : {REASONS[one.reason]}" if one.reason else ""
            return f"{ONE_LETTER_STATE[one.state]}{why}"
        if letter is None:
            return "la lettre n'est pas encore composée"
        if letter.batch_state is not BatchState.PRINTED:
            return "la lettre est composée et n'est pas encore imprimée"
        return f"imprimée {self.when(letter.printed_at)} ; La Poste ne dit pas si elle est arrivée"

    def _of_registered(self, one: DeliveryRecord) -> str:
        facts = one.registered
        if facts is None or facts.state not in _DAY_OF:
            return f"lettre recommandée {REGISTERED_IN_FILE[facts.state]}" if facts else self._of_letter(one)
        if facts.state is RegisteredState.POSTED:
            return f"déposée à La Poste le {day_words(facts.posted_on)}, avis de réception attendu"
        if facts.state is RegisteredState.ACKNOWLEDGED:
            return f"l'avis de réception est revenu signé, daté du {day_words(facts.acknowledged_on)}"
        why = f" : {RETURNS_IN_FILE[facts.return_reason]}" if facts.return_reason else ""
        return f"revenue le {day_words(facts.returned_on)}{why}"

    def _called_off(self, one: DeliveryRecord) -> str:
        if one.dropped is not None:
            return f"ce document en a été retiré avant le départ : {_why(one.stage, one.dropped)}"
        left_out = one.letter.left_out if one.letter else None
        reason = one.reason or left_out
        # A ledger that was restored cannot say that nothing had left.
        said = "annulé" if reason is Reason.LEDGER_INCOMPLETE else "annulé avant le départ"
        return f"{said} : {_why(one.stage, reason)}" if reason else said


def _why(stage: Stage, reason: Reason) -> str:
    """Why a message did not leave; what is no loan is neither returned nor renewed."""
    over = reason in (Reason.RETURNED, Reason.RENEWED, Reason.NOT_TOLD) and not stage.is_about_loans
    return "le SIGB ne l'annonce plus" if over else REASONS[reason]


_STOPPED_LATER = (Reason.LEDGER_INCOMPLETE, Reason.OPTED_OUT)
_DAY_OF = frozenset({RegisteredState.POSTED, RegisteredState.ACKNOWLEDGED, RegisteredState.RETURNED})
_AFTER_PRINTING = _DAY_OF | {RegisteredState.NUMBERED}


def message_title(stage: Stage, channel: Channel) -> str:
    """`Avis de retard, par e-mail`."""
    how = {Channel.EMAIL: ", par e-mail", Channel.SMS: ", par SMS", Channel.LETTER: ", par courrier"}
    return f"{stage_title(stage)}{how.get(channel, '')}"


def pill_words(one: DeliveryRecord, how: Outcome) -> str:
    """How far a message came, in a word or two."""
    paper = one.channel in (Channel.LETTER, Channel.REGISTERED_LETTER)
    if how is O.CALLED_OFF:
        return "annulée" if paper else "annulé"
    if how is O.REDIRECTED:
        return "essai, détournée" if paper else "essai, détourné"
    if one.registered is not None:
        return REGISTERED_IN_FILE[one.registered.state]
    if paper and how is O.LEFT:
        return "imprimée"
    if how is O.IN_DOUBT:
        return "en doute"
    return (ONE_LETTER_STATE if paper else ONE_STATE)[one.state]


def last_words(last: LastMessage, *, now: datetime) -> str:
    """How far a reader's last message came, and when, by the library's clock that says `now`.

    `imprimée hier à 10 h 03`, `déposée à La Poste le 18/12/2026`.
    """
    paper = last.channel in (Channel.LETTER, Channel.REGISTERED_LETTER)
    if last.redirected:
        when = "" if last.at is None else f" {when_words(last.at, now=now, zone=now.tzinfo or UTC)}"
        return f"essai, {'détournée' if paper else 'détourné'}{when} : rien au lecteur"
    state, at = (ONE_LETTER_STATE if paper else ONE_STATE)[last.state], last.at
    if last.state is DeliveryState.ACCEPTED and last.registered in _AFTER_PRINTING:
        day = f" le {day_words(last.registered_on)}" if last.registered_on else ""
        return f"{REGISTERED_IN_FILE[last.registered]}{day}"
    if last.state is DeliveryState.ACCEPTED and last.printed_at is not None:
        state, at = "imprimée", last.printed_at
    return state if at is None else f"{state} {when_words(at, now=now, zone=now.tzinfo or UTC)}"


def _answer_words(channel: Channel, answer: Answer) -> str:
    match channel, answer.state:
        case Channel.EMAIL, S.ACCEPTED:
            words = "le serveur de messagerie a accepté le message"
        case Channel.EMAIL, S.PLANNED:
            words = f"refusé pour le moment : {CAUSES[cause(answer.raw, code=450)]}"
        case Channel.EMAIL, S.REFUSED | S.BOUNCED | S.FAILED:
            words = f"{ONE_STATE[answer.state]} : {CAUSES[cause(answer.raw, code=550)]}"
        case Channel.SMS, S.ACCEPTED:
            words = "le prestataire a pris le SMS"
        case Channel.SMS, S.DELIVERED:
            words = "l'opérateur dit que le téléphone l'a reçu"
        case Channel.SMS, S.BOUNCED:
            words = "l'opérateur n'a pas pu le remettre"
        case ((Channel.LETTER | Channel.REGISTERED_LETTER), _):
            words = ONE_LETTER_STATE[answer.state]
        case _:
            words = ONE_STATE[answer.state]
    why = f" ({REASONS[answer.reason]})" if answer.reason and channel is not Channel.EMAIL else ""
    return f"{words}{why}" if answer.applied else f"{words}{why}, venu trop tard pour changer quoi que ce soit"


def _why_refused(one: DeliveryRecord) -> str:
    """Why a message did not arrive: what the last report or answer says, else the reason kept."""
    if one.channel is Channel.EMAIL and one.bounces:
        last = one.bounces[-1]
        return CAUSES[cause(last.diagnostic, status=last.status)]
    raw = one.answers[-1].raw if one.answers else ""
    if one.channel is Channel.EMAIL and raw:
        said = cause(raw, code=550)
        if said is not Cause.UNKNOWN:
            return CAUSES[said]
    return REASONS[one.reason] if one.reason else "sans explication"


def category_words(code: str) -> str:
    """The category of a reader, nothing for a code that is none."""
    return CATEGORIES[PatronCategory(code)] if code in set(PatronCategory) else ""


def phone_refused_words(refusal: Refusal) -> str:
    """Why a number that was typed is no mobile, after « mais »."""
    if refusal in (Refusal.DUMMY, Refusal.COUNTRY_NOT_ALLOWED):
        return "c'est un numéro factice" if refusal is Refusal.DUMMY else "c'est un numéro d'un pays non desservi"
    if refusal is Refusal.NOT_MOBILE:
        return "ce n'est pas un mobile : les téléphones fixes ne sont pas gardés ici"
    return "ce numéro est impossible"


_CONTACT = {Channel.EMAIL: "E-mail", Channel.SMS: "Mobile"}


def contact_words(channel: Channel, refusal: Refusal | None = None) -> str:
    """How a way to reach a reader is called; with a refusal, what is wrong with it."""
    if refusal is None:
        return _CONTACT.get(channel, "Adresse postale")
    if refusal is Refusal.MISSING:
        return "absente du SIGB" if channel not in _CONTACT else "absent du SIGB"
    return f"inutilisable : {REFUSALS[refusal]}"
