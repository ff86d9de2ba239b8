"""What is planned next for a loan, and what came of a message sent again, as librarians read it."""

from __future__ import annotations

from datetime import date

from loan_reminders.domain.readers.next_step import NextStep, NoStep
from loan_reminders.domain.runs.holds import Hold
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, SkipReason
from loan_reminders.french.days import day_words
from loan_reminders.french.plurals import many
from loan_reminders.french.words import ONE_CHANNEL, SKIPS, STAGES

_BY = {
    Channel.EMAIL: "par e-mail",
    Channel.SMS: "par SMS",
    Channel.LETTER: "par courrier",
    Channel.REGISTERED_LETTER: "par courrier recommandé, une fois validée",
}
_NO_STEP = {
    NoStep.LAST_DONE: ("Ensuite, plus rien", "dernière étape faite", "aucun autre message n'est prévu"),
    NoStep.PAST: (
        "Ensuite, plus rien",
        "dernière étape manquée",
        "son jour est passé sans qu'elle soit faite : voir à la page « Aujourd'hui » s'il faut rattraper ce jour",
    ),
    NoStep.HELD: ("Ensuite, plus rien", "ne pas écrire", "jusqu'au {until}, et aucune étape ne vient après"),
}


def when_planned(day: date, today: date) -> str:
    """`aujourd'hui`, `demain`, or `le 15/12/2026`."""
    return {0: "aujourd'hui", 1: "demain"}.get((day - today).days, f"le {day_words(day)}")


def next_step_words(step: NextStep, *, today: date) -> tuple[str, str, str]:
    """What comes next, when, and the condition or the reason.

    `1re lettre de relance`, `prévue demain`, `par e-mail, si le document n'est pas rendu ni prolongé d'ici là`.
    """
    until = day_words(step.held.until) if step.held else ""
    if step.stage is None or step.day is None:
        what, pill, said = _NO_STEP[step.why if isinstance(step.why, NoStep) else NoStep.LAST_DONE]
        return what, pill, said.format(until=until)
    if step.channels:
        how = " et ".join(_BY[channel] for channel in step.channels)
        said = f"{how}, si le document n'est pas rendu ni prolongé d'ici là"
    elif isinstance(step.why, SkipReason):
        said = f"mais personne ne serait prévenu : {SKIPS[step.why]}"
    else:
        said = ""
    if step.held is not None:
        said = f"ne pas écrire jusqu'au {until} ; ensuite {said}"
    return _first_upper(STAGES[step.stage]), f"prévue {when_planned(step.day, today)}", said


def not_listed_words(day: date) -> tuple[str, str, str]:
    """What comes next for a loan that the ILS did not give any more on a day: nothing, and why."""
    said = f"le {day_words(day)}, le SIGB ne donnait plus ce prêt à cette échéance"
    return "Ensuite, plus rien", "rendu ou prolongé", said


def hold_words(hold: Hold) -> str:
    """What a hold is about."""
    if hold.whole_reader:
        return "Ne rien écrire à ce lecteur"
    return f"Ne pas écrire pour « {hold.title} »" if hold.title else "Ne pas écrire pour un document sans titre"


def resent_words(channel: Channel, state: DeliveryState, *, documents: int, left_out: int) -> str:
    """What came of a message that was sent again, about so many documents; `left_out` were in it the first time."""
    one = _the(ONE_CHANNEL[channel])
    match state:
        case DeliveryState.IN_DOUBT:
            return f"{one} est peut-être parti : aucune réponse n'est venue. Il ne repartira pas aujourd'hui."
        case DeliveryState.REFUSED:
            return f"{one} a été refusé par le serveur : rien n'est arrivé au lecteur."
    said = f"{one} est reparti, pour {many(documents, 'document', 'documents')}."
    if left_out == 1:
        said += " Un document rendu, prolongé ou suspendu n'y est plus."
    elif left_out:
        said += f" {left_out} documents rendus, prolongés ou suspendus n'y sont plus."
    return said


def _the(one: str) -> str:
    return f"L'{one}" if one[0] in "aeiou" else f"Le {one}"


def _first_upper(words: str) -> str:
    return words[:1].upper() + words[1:]
