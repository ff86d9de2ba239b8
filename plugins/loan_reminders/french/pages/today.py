"""What the first page says: the verdict of the day, where each stage is, how long the SMS credit lasts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo

from loan_reminders.domain.redirect import Redirect
from loan_reminders.domain.runs.day_state import DayState, Level, StageDay, Verdict
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.french.days import near_words
from loan_reminders.french.pages.stage_advice import cause_words, task_words
from loan_reminders.french.plurals import many, number_words
from loan_reminders.french.runs import trial_verdict
from loan_reminders.french.words import STAGES, the_stage

S = DayState

ICONS = {
    S.NOT_YET: "waiting",
    S.LATE: "waiting",
    S.QUEUED: "waiting",
    S.RUNNING: "running",
    S.WAITS_FOR_WINDOW: "waiting",
    S.WAITS_FOR_VOLUME: "person",
    S.WAITS_FOR_APPROVAL: "person",
    S.RETRYING: "again",
    S.STOPPED: "stopped",
    S.NOT_BALANCED: "stopped",
    S.NEVER_CLOSED: "stopped",
    S.WITHOUT_BOOKS: "stopped",
    S.PAUSED: "paused",
    S.MISSED: "missed",
    S.BROKEN: "stopped",
    S.REFUSED: "hold",
    S.TO_PRINT: "print",
    S.DONE: "done",
}
"""The drawing beside each state; it says nothing that the words do not."""

COLOURS = {
    S.NOT_YET: "off",
    S.LATE: "off",
    S.QUEUED: "off",
    S.RUNNING: "run",
    S.WAITS_FOR_WINDOW: "off",
    S.WAITS_FOR_VOLUME: "wait",
    S.WAITS_FOR_APPROVAL: "wait",
    S.RETRYING: "wait",
    S.REFUSED: "off",
    S.TO_PRINT: "wait",
    S.DONE: "",
}
"""The look of each state's words; whatever is not named here is `bad`."""

_CHANNELS = {
    Channel.EMAIL: ("e-mail", "e-mails"),
    Channel.SMS: ("SMS", "SMS"),
    Channel.LETTER: ("lettre", "lettres"),
    Channel.REGISTERED_LETTER: ("recommandé", "recommandés"),
}
_ARE_STOPPED = {
    S.STOPPED: ("est arrêtée", "est arrêté"),
    S.NOT_BALANCED: ("a des comptes faux", "a des comptes faux"),
    S.NEVER_CLOSED: ("n'a pas été close", "n'a pas été clos"),
    S.WITHOUT_BOOKS: ("n'a pas de comptes", "n'a pas de comptes"),
    S.PAUSED: ("est en pause", "est en pause"),
    S.MISSED: ("n'a pas eu lieu", "n'a pas eu lieu"),
    S.BROKEN: ("ne peut pas partir", "ne peut pas partir"),
}
_NUMBERS = {1: "Une étape", 2: "Deux étapes", 3: "Trois étapes", 4: "Quatre étapes", 5: "Les cinq étapes"}


def channel_words(channel: Channel, number: int) -> str:
    """How a channel is called beside a number of messages."""
    return _CHANNELS[channel][0 if number < 2 else 1]


def paper_words(channel: Channel, number: int) -> str:
    """Letters that have not left, beside their number: they tell nobody yet."""
    what = "à poster" if channel is Channel.REGISTERED_LETTER else "à imprimer"
    return f"{channel_words(channel, number)} {what}"


def things_words(stage: Stage, number: int, *, done: str = "") -> str:
    """What a run works on, beside its number: `prêts lus`, `demande vue`; `done` is `lu` or `vu`."""
    one = ("prêt", done) if stage.is_about_loans else ("demande", f"{done}e" if done else "")
    return " ".join(word if number < 2 else f"{word}s" for word in one if word)


def offset_words(days: int) -> str:
    """How far a stage is from the due date: `J − 2`, `J + 8`."""
    return "jour J" if not days else f"J {'−' if days < 0 else '+'} {abs(days)}"


def state_words(day: StageDay, now: datetime, *, zone: tzinfo) -> str:
    """Where a stage is, in the few words of its card: `faite à 10 h 03`."""
    at = "" if day.at is None else f" {near_words(day.at, now, zone=zone)}"
    match day.state:
        case S.NOT_YET:
            return f"pas encore : prévue{at}"
        case S.LATE:
            return f"attendue{at.replace(' à ', ' depuis ', 1)}"
        case S.QUEUED:
            return "attend son tour"
        case S.RUNNING:
            return f"en cours depuis{at.replace(' à ', ' ', 1)}" if at else "en cours"
        case S.WAITS_FOR_WINDOW:
            return f"SMS : partiront{at}" if at else "SMS : attendent leur heure"
        case S.WAITS_FOR_VOLUME:
            return "à confirmer"
        case S.WAITS_FOR_APPROVAL:
            return "attend votre accord"
        case S.RETRYING:
            return f"nouvel essai{at}" if at else "nouvel essai bientôt"
        case S.STOPPED:
            why = cause_words(day) or task_words(day.tasks)
            return f"arrêtée : {why}" if why else "arrêtée"
        case S.NOT_BALANCED:
            return "comptes à revoir"
        case S.NEVER_CLOSED:
            return "commencée, jamais close"
        case S.WITHOUT_BOOKS:
            return "déclarée faite, sans comptes"
        case S.PAUSED:
            return "en pause"
        case S.MISSED:
            return f"manquée : prévue{at}"
        case S.BROKEN:
            return "illisible pour Airflow"
        case S.REFUSED:
            return "envoi refusé"
        case S.TO_PRINT:
            return f"{many(day.letters, 'lettre', 'lettres')} à imprimer"
    return f"faite{at}"


def tomorrow_words(today: StageDay, number: int | None, by_channel: Mapping[Channel, int]) -> str:
    """About how many readers a stage tells tomorrow and how, or what keeps it from that; `today` is where it is."""
    if today.paused or today.state is S.PAUSED:
        return "en pause"
    if today.state is S.BROKEN:
        return "illisible pour Airflow"
    if number is None:
        return "pas encore assez de jours connus"
    about = "personne, sans doute" if not number else f"environ {many(number, 'lecteur', 'lecteurs')}"
    if number and by_channel:
        ways = (f"{number_words(sent)} {channel_words(channel, sent)}" for channel, sent in by_channel.items())
        about = f"{about} : {', '.join(ways)}"
    if today.state in (S.WAITS_FOR_VOLUME, S.WAITS_FOR_APPROVAL):
        # One run of a stage at a time: the next one begins when somebody has answered.
        return f"{about}, après votre réponse"
    return about


def balance_words(stage: Stage, loans: int, explained: int, undone: int) -> str:
    """The books of a day in a line: each loan read is in a notice, or left out with a reason."""
    if loans == explained and not undone:
        return "Comptes justes"
    found = (
        []
        if loans == explained
        else [f"{number_words(loans)} {things_words(stage, loans, done='lu')}, {_explained(stage, explained)}"]
    )
    if undone:
        found.append(many(undone, "envoi ni parti ni abandonné", "envois ni partis ni abandonnés"))
    return f"Comptes faux : {' ; '.join(found)}"


def _explained(stage: Stage, number: int) -> str:
    return many(number, "expliqué", "expliqués") if stage.is_about_loans else many(number, "expliquée", "expliquées")


def verdict_words(
    found: Verdict, *, acts: bool = True, missed: int = 0, redirect: Redirect | None = None
) -> tuple[str, str]:
    """The sentence that says how the day is, and a second, quieter one, which may be empty.

    `acts` is whether the reader of the page is the one who is waited for; `missed` counts days that were missed before.
    With `redirect` it is a trial, which comes first.
    """
    first, more = _verdict_words(found, acts=acts, missed=missed)
    return first if redirect is None else f"{trial_verdict(redirect)} {first}", more


def _verdict_words(found: Verdict, *, acts: bool, missed: int) -> tuple[str, str]:
    days_missed = many(missed, "jour manqué à rattraper", "jours manqués à rattraper") if missed else ""
    verb = "attend" if found.waiting == 1 else "attendent"
    waiting = f"{_things(found.waiting)} {'vous ' if acts else ''}{verb}"
    if found.level is Level.STOPPED:
        first = _stopped_words(found)
        return f"{first}, {waiting}." if found.waiting else f"{first}.", _joined(_others_words(found), days_missed)
    first = f"{waiting[0].upper()}{waiting[1:]}." if found.level is Level.WAITING else "Tout va bien."
    return first, _joined(_progress_words(found.days), days_missed)


def lasting_words(days: int | None) -> str:
    """How long a credit lasts: `environ 4 mois au rythme actuel`."""
    if days is None:
        return ""
    if days > 730:
        words = "plus de deux ans"
    elif days >= 60:
        words = f"environ {round(days / 30.4)} mois"
    elif days >= 14:
        words = f"environ {round(days / 7)} semaines"
    else:
        words = f"environ {days} jours" if days > 1 else "un jour au plus"
    return f"{words} au rythme actuel"


def _things(number: int) -> str:
    return "une chose" if number == 1 else f"{number} choses"


def _stopped_words(found: Verdict) -> str:
    if len(found.stages) > 1:
        paused = all(found.days[stage].state is S.PAUSED for stage in found.stages)
        words = _NUMBERS.get(len(found.stages)) or many(len(found.stages), "tournée", "tournées")
        return f"{words} sont {'en pause' if paused else 'arrêtées'}"
    [stage] = found.stages
    masculine = STAGES[stage].startswith("avis")
    said = f"{the_stage(stage)} {_ARE_STOPPED[found.days[stage].state][masculine]}"
    return said[0].upper() + said[1:]


def _others_words(found: Verdict) -> str:
    others = [day for stage, day in found.days.items() if stage not in found.stages]
    closed = [day for day in others if day.closes_right is not None]
    if not closed or not all(day.closes_right for day in closed):
        return ""
    if len(closed) == 1:
        return "les comptes de la tournée faite sont justes"
    return f"les comptes des {len(closed)} tournées faites sont justes"


def _progress_words(days: Mapping[Stage, StageDay]) -> str:
    """How many stages are done, and what the others do."""
    done = sum(day.closes_right is True for day in days.values())
    retrying = [the_stage(stage) for stage, day in days.items() if day.state is S.RETRYING]
    running = sum(day.state in (S.RUNNING, S.WAITS_FOR_WINDOW, S.QUEUED, S.LATE) for day in days.values())
    to_come = sum(day.state is S.NOT_YET for day in days.values())
    if done == len(days):
        all_done = "Les cinq étapes sont faites" if len(days) == len(Stage) else "Toutes les tournées sont faites"
        return f"{all_done}, leurs comptes sont justes"
    found = []
    if done:
        found.append(f"{many(done, 'étape faite', 'étapes faites')}, comptes justes")
    if running:
        found.append(f"{running} en cours")
    if to_come:
        found.append(f"{to_come} à venir")
    if retrying:
        found.append(f"nouvel essai automatique pour {', '.join(retrying)}")
    return " · ".join(found)


def _joined(*parts: str) -> str:
    """What there is of these parts, as one sentence."""
    words = " · ".join(filter(None, parts))
    return f"{words[0].upper()}{words[1:]}." if words else ""
