"""What is said of a ledger that may lack what has left already: it was restored, or a standby took over."""

from __future__ import annotations

from collections.abc import Iterator

from loan_reminders.domain.marks.high_water import BrokenStep, Counts, Gap, LostRun, RememberedRun
from loan_reminders.french.days import long_day_words
from loan_reminders.french.plurals import many
from loan_reminders.french.runs import ONE_AND_MANY
from loan_reminders.french.words import CHANNELS, STAGES

HELD = (
    "Rien ne part : le registre ne sait peut-être pas tout ce qui est déjà parti (restauré d'une sauvegarde ?). Une"
    " réponse est attendue sur les pages « Relances », « Aujourd'hui », « À faire »."
)
UNREADABLE = (
    "le repère des envois, à côté des lettres, est illisible (abîmé, ou écrit par une autre version) : personne ne sait"
    " si le registre a tout ce qui est parti"
)
FIRST_MARK = (
    "Pas encore de repère des envois à côté des lettres (REMINDERS_STORAGE) : premier jour, ou dossier des lettres"
    " nouveau. Il est créé maintenant."
)
MARK_NOT_MADE = (
    "Le repère des envois n'a pas pu être tenu à jour : si le registre est un jour restauré, ce qui part maintenant"
    " pourrait repartir. %s"
)


def gap_words(gap: Gap) -> Iterator[str]:
    """What the ledger lacks, or why nobody knows, a line each."""
    counted = {(run.stage, run.day) for run in gap.runs if run.lost}
    remembered = {(run.stage, run.day) for run in gap.remembered}
    for lost in gap.runs:
        # The mark may be of the beginning of a step: what Airflow says is more.
        if lost.lost or (lost.stage, lost.day) not in remembered:
            yield lost_words(lost)
    for run in gap.remembered:
        if (run.stage, run.day) not in counted:
            yield remembered_words(run)
    for step in gap.broken:
        yield broken_words(step)
    if gap.unreadable:
        yield UNREADABLE
    elif gap and not gap.runs and not gap.remembered and not gap.broken:
        yield "la fin de la dernière étape d'envoi, qui n'a pas forcément perdu de message"


def lost_words(run: LostRun) -> str:
    """`avis de retard du samedi 28 novembre 2026 : 96 e-mails, 70 SMS`."""
    said = _counted(run.lost) or "aucun envoi compté au dernier repère ; la tournée elle-même manque"
    return f"{STAGES[run.stage]} du {long_day_words(run.day)} : {said}"


def remembered_words(run: RememberedRun) -> str:
    """A run that Airflow remembers: `avis de retard du samedi 28 novembre 2026 : 96 e-mails selon Airflow ; …`."""
    title = f"{STAGES[run.stage]} du {long_day_words(run.day)}"
    if run.closed_at is None:
        return f"{title} : Airflow ne sait pas ce qui en est parti ; le registre n'a pas cette tournée"
    left = _counted(run.left)
    said = f"{left} selon Airflow" if left else "Airflow n'en compte aucun envoi parti"
    return f"{title} : {said} ; le registre n'a pas cette tournée jusqu'à sa fin"


def _counted(counts: Counts) -> str:
    return ", ".join(many(number, *ONE_AND_MANY[channel]) for channel, number in sorted(counts.items()))


def broken_words(step: BrokenStep) -> str:
    """A step that was sending when the ledger moved to another server."""
    return (
        f"{STAGES[step.stage]} du {long_day_words(step.day)} : le registre a changé de serveur pendant l'envoi"
        f" ({CHANNELS[step.channel]}) ; les dernières secondes peuvent manquer"
    )
