"""What is planned next for a loan, and what came of a message sent again, as librarians read it."""

from __future__ import annotations

from datetime import date

from loan_reminders.domain.readers.next_step import NextStep, NoStep
from loan_reminders.domain.readers.resend import Resent
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, SkipReason
from loan_reminders.french.days import day_words
from loan_reminders.french.words import ONE_CHANNEL, SKIPS, STAGES

_BY = {
    Channel.EMAIL: "par e-mail",
    Channel.SMS: "par SMS",
    Channel.LETTER: "par courrier",
    Channel.REGISTERED_LETTER: "par courrier recommandé, une fois validée",
}
_NO_STEP = {
    NoStep.LAST_DONE: "Rien de plus n'est prévu : la dernière étape est faite.",
    NoStep.PAST: "Rien de plus n'est prévu : le jour de la dernière étape est passé sans qu'elle soit faite. Voir s'il"
    " faut rattraper ce jour, à la page « Aujourd'hui ».",
    NoStep.HELD: "Rien n'est prévu : ne pas écrire jusqu'au {until}, et aucune étape ne vient ensuite.",
}


def when_words(day: date, today: date) -> str:
    """`aujourd'hui`, `demain`, or `le 15/12/2026`."""
    return {0: "aujourd'hui", 1: "demain"}.get((day - today).days, f"le {day_words(day)}")


def next_step_words(step: NextStep, *, today: date) -> tuple[str, str]:
    """What comes next, and the condition or the reason: `1re lettre de relance, prévue demain` and `par e-mail, …`."""
    until = day_words(step.held.until) if step.held else ""
    if step.stage is None or step.day is None:
        why = step.why if isinstance(step.why, NoStep) else NoStep.LAST_DONE
        return _NO_STEP[why].format(until=until), ""
    what = f"{_first_upper(STAGES[step.stage])}, prévue {when_words(step.day, today)}"
    if step.channels:
        how = " et ".join(_BY[channel] for channel in step.channels)
        said = f"{how}, si le document n'est pas rendu ni prolongé d'ici là"
    elif isinstance(step.why, SkipReason):
        said = f"mais personne ne serait prévenu : {SKIPS[step.why]}"
    else:
        said = ""
    if step.held is not None:
        said = f"ne pas écrire jusqu'au {until} ; ensuite {said}"
    return what, said


def resent_words(resent: Resent) -> str:
    """What came of a message that was sent again."""
    one = ONE_CHANNEL[resent.channel]
    many = f"{resent.documents} documents" if resent.documents > 1 else "1 document"
    left_out = ""
    if resent.left_out:
        what = (
            "documents rendus, prolongés ou suspendus n'y sont"
            if resent.left_out > 1
            else ("document rendu, prolongé ou suspendu n'y est")
        )
        left_out = f" {resent.left_out} {what} plus."
    match resent.state:
        case DeliveryState.IN_DOUBT:
            return f"{_the(one)} est peut-être parti : aucune réponse n'est venue. Il ne repartira pas aujourd'hui."
        case DeliveryState.REFUSED:
            return f"{_the(one)} a été refusé : rien n'est arrivé au lecteur. Voir la réponse dans sa ligne du temps."
        case _:
            return f"{_the(one)} est reparti, pour {many}.{left_out}"


def _the(one: str) -> str:
    return f"L'{one}" if one[0] in "aeiou" else f"Le {one}"


def _first_upper(words: str) -> str:
    return words[:1].upper() + words[1:]
