"""What is said of a ledger that lacks what has left already: it was restored, or a standby took over."""

from __future__ import annotations

from collections.abc import Iterator

from loan_reminders.domain.marks.high_water import BrokenStep, Gap, LostRun
from loan_reminders.french.days import long_day_words
from loan_reminders.french.plurals import many
from loan_reminders.french.runs import ONE_AND_MANY
from loan_reminders.french.words import CHANNELS, STAGES

HELD = (
    "Rien ne part : le registre ne sait pas tout ce qui est déjà parti (restauré d'une sauvegarde ?). Une réponse est"
    " attendue sur les pages « Relances », « Aujourd'hui », « À faire »."
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
    """What the ledger lacks, a line each."""
    for run in gap.runs:
        yield lost_words(run)
    for step in gap.broken:
        yield broken_words(step)
    if gap and not gap.runs and not gap.broken:
        yield "la fin de la dernière étape d'envoi, qui n'a pas forcément perdu de message"


def lost_words(run: LostRun) -> str:
    """`avis de retard du samedi 28 novembre 2026 : 96 e-mails, 70 SMS`."""
    counts = [many(number, *ONE_AND_MANY[channel]) for channel, number in sorted(run.lost.items())]
    if run.deliveries:
        counts.append(f"{many(run.deliveries, 'envoi', 'envois')} selon Airflow")
    said = ", ".join(counts) or "aucun envoi compté, mais la tournée elle-même manque"
    return f"{STAGES[run.stage]} du {long_day_words(run.day)} : {said}"


def broken_words(step: BrokenStep) -> str:
    """A step that was sending when the ledger moved to another server."""
    return (
        f"{STAGES[step.stage]} du {long_day_words(step.day)} : le registre a changé de serveur pendant l'envoi"
        f" ({CHANNELS[step.channel]}) ; les dernières secondes peuvent manquer"
    )
