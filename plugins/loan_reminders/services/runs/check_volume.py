"""Before anything leaves: is this run of the usual size and its reading as usual, or must a librarian approve it?

The answer is kept in the ledger. A sender looks for it there, and nowhere else: that a task is green in Airflow only
says that somebody, or something, ended it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from loan_reminders.domain.errors import PermanentError
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.ports.outside import Ledger, Run
from loan_reminders.domain.runs.questions import VolumeFacts
from loan_reminders.domain.runs.reading.doubts import Doubt
from loan_reminders.domain.runs.volume import Alarm, VolumeAnswer, VolumeGuard, alarms
from loan_reminders.domain.stages import Channel, Policy
from loan_reminders.domain.states import Reason
from loan_reminders.french.plurals import many
from loan_reminders.french.readings import doubt_causes, doubt_words
from loan_reminders.french.runs import READING_REFUSED
from loan_reminders.french.words import CHANNELS, STAGES
from loan_reminders.services.runs.check_reading import reading_doubts

log = logging.getLogger(__name__)

SEND, REFUSE = "Envoyer", "Ne rien envoyer"
"""The two answers: the words of the buttons, and what Airflow keeps."""

STOPPED = (
    "la tournée s'arrête en rouge et ce jour reste à faire, une fois le SIGB réparé. Sans réponse dans les 24 heures,"
    " elle s'arrête de même."
)
"""What a refusal does where what was read of the ILS is in doubt."""

SAMPLE = 5

_ASK_AGAIN = (
    "Rien n'est parti. Effacer (« Clear ») la tâche « Vérifier le volume » et les suivantes : la question sera posée"
    " dans « Actions requises »."
)
_UNANSWERED = (
    f"Le volume, ou la lecture du SIGB, est inhabituel et personne n'a répondu à « Vérifier le volume ». {_ASK_AGAIN}"
)
_REFUSED = f"Le volume a été refusé dans « Vérifier le volume », mais des envois attendent encore. {_ASK_AGAIN}"


def check_planned(run: Run) -> Run:
    """The run, once it is known to be planned. Raises PermanentError that says what to do."""
    if not run.planned:
        raise PermanentError(
            f"La tournée {run.run_id} n'a pas été préparée, bien que sa tâche ait pu être marquée comme réussie."
            " Effacer (« Clear ») la tâche « Préparer les avis » et les suivantes."
        )
    return run


def check_approved(ledger: Ledger, *, run_id: int, guard: VolumeGuard, past_runs: int) -> None:
    """May what waits in this run leave? Raises PermanentError, which says what to do, when it may not.

    It may when its volume was found usual or was approved, and in a dry run. When nobody looked at it yet, it is looked
    at now: an unusual volume that nobody approved never leaves.
    """
    run = check_planned(ledger.run(run_id))
    answer = ledger.volume_answer(run_id)
    if run.dry_run or answer in (VolumeAnswer.USUAL, VolumeAnswer.APPROVED):
        return
    planned = ledger.planned_volume(run_id)
    if not planned:
        return
    if answer is VolumeAnswer.REFUSED:
        raise PermanentError(_REFUSED)
    if (
        answer is VolumeAnswer.ASKED
        or alarms(planned, ledger.past_volumes(run_id, runs=past_runs), guard)
        or reading_doubts(ledger, run_id=run_id, guard=guard.reading)
    ):
        raise PermanentError(_UNANSWERED)


def volume_question(
    ledger: Ledger,
    *,
    run_id: int,
    guard: VolumeGuard,
    past_runs: int,
    library: LibraryIdentity,
    policy: Policy | None = None,
) -> str | None:
    """The question to put to a librarian, in French Markdown, or None when the volume and the reading are usual.

    It holds figures and a sample without names: the question is kept outside the ledger. The ledger keeps that it was
    asked, or that there was no need to. A dry run asks nothing, its log says what is unusual. With `policy`, a run that
    comes too late for anything to leave is not asked about its reading. Raises PermanentError when the run was not
    planned.
    """
    run = check_planned(ledger.run(run_id))
    planned = ledger.planned_volume(run_id)
    past = ledger.past_volumes(run_id, runs=past_runs)
    found = alarms(planned, past, guard)
    doubts = reading_doubts(ledger, run_id=run_id, guard=guard.reading, policy=policy)
    for doubt in doubts:
        log.warning("Lecture du SIGB inhabituelle. %s : %s, d'habitude %s", *doubt_words(doubt, run.stage))
    if run.dry_run:
        return None
    if not found and not doubts:
        log.info("Volume habituel : %s", {CHANNELS[channel]: count for channel, count in planned.items()})
        ledger.record_volume_answer(run_id, VolumeAnswer.USUAL)
        return None
    ledger.record_volume_answer(run_id, VolumeAnswer.ASKED, reading=bool(doubts))
    if found:
        log.warning("Volume inhabituel : la tournée attend une validation")
    what = "Prêts à échéance du" if run.stage.is_about_loans else "Demandes lues le"
    lines = [f"{what} **{run.due_date:%d/%m/%Y}**, **{STAGES[run.stage]}**.", ""]
    if doubts:
        lines += _about_reading(ledger, run, doubts)
    if found:
        lines += [
            "| Canal | À envoyer | Médiane des dernières tournées | Plafond |",
            "|---|---:|---:|---:|",
            *(_row(alarm) for alarm in found),
            "",
            f"Tournées comparées : {len(past)}. Échantillon :",
            "",
            *_sample(ledger, run_id, found[0].channel, library),
            "",
            "Un accident dans le SIGB (échéances déplacées en masse) ressemble à ceci : en cas de doute, ne rien"
            " envoyer. Sans réponse dans les 24 heures, rien ne part ; une tournée relancée prépare tout à nouveau.",
        ]
    return "\n".join(lines)


def _about_reading(ledger: Ledger, run: Run, doubts: Sequence[Doubt]) -> Iterator[str]:
    reading = ledger.readings().of(run.run_id)
    words = [doubt_words(doubt, run.stage) for doubt in doubts]
    yield "| Lecture du SIGB | Aujourd'hui | D'habitude |"
    yield "|---|---:|---|"
    yield from (f"| {what} | {now} | {usual} |" for what, now, usual in words)
    yield ""
    yield from (f"- {cause}" for cause in doubt_causes(doubts, reading.rejected if reading else 0, run.stage))
    yield ""
    yield f"« {SEND} » : la lecture est juste, la tournée continue. « {REFUSE} » : {STOPPED}"
    yield ""


def volume_facts(ledger: Ledger, *, run_id: int, guard: VolumeGuard, past_runs: int) -> VolumeFacts:
    """What the question tells, for a page of our own; nothing is written down. The sample is of the first channel."""
    past = ledger.past_volumes(run_id, runs=past_runs)
    found = alarms(ledger.planned_volume(run_id), past, guard)
    sample = ledger.sample(run_id, found[0].channel, size=SAMPLE) if found else ()
    reading = ledger.readings().of(run_id)
    return VolumeFacts(
        alarms=found,
        runs_compared=len(past),
        sample=sample,
        doubts=reading_doubts(ledger, run_id=run_id, guard=guard.reading),
        rejected=reading.rejected if reading else 0,
    )


def _row(alarm: Alarm) -> str:
    usual = "aucune" if alarm.usual is None else f"{alarm.usual:g}"
    return f"| {CHANNELS[alarm.channel]} | {alarm.planned} | {usual} | {alarm.cap} |"


def _sample(ledger: Ledger, run_id: int, channel: Channel, library: LibraryIdentity) -> Iterator[str]:
    for delivery in ledger.sample(run_id, channel, size=SAMPLE):
        loan = delivery.loans[0]
        lent = (
            f", prêté le {loan.loan_date:%d/%m/%Y}, {many(loan.renewal_count, 'prolongation', 'prolongations')}"
            if loan.is_loan
            else f", du {loan.due_date:%d/%m/%Y}"
        )
        yield (
            f"- lecteur de catégorie {delivery.notice.patron.category},"
            f" {many(len(delivery.loans), 'document', 'documents')}, {library.branch(loan.branch).name}{lent}"
        )


def approve(ledger: Ledger, *, run_id: int, who: str) -> None:
    """Let what waits in the run leave, as a librarian decided."""
    ledger.record_volume_answer(run_id, VolumeAnswer.APPROVED, who=who, reading=ledger.readings().doubted(run_id))
    log.info("Volume validé (%s)", who)


def refuse(ledger: Ledger, *, run_id: int, who: str) -> int:
    """Cancel everything that waits in the run, as a librarian decided; returns how many deliveries.

    A run whose reading was in doubt ends red: its day is still to be done, once the ILS is repaired. Raises
    PermanentError then, when all is cancelled and written down.
    """
    doubted = ledger.readings().doubted(run_id)
    ledger.record_volume_answer(run_id, VolumeAnswer.REFUSED, who=who, reading=doubted)
    cancelled = ledger.cancel_waiting(run_id, Reason.NOT_APPROVED, tuple(Channel))
    what = "lecture du SIGB non acceptée" if doubted else "volume non validé"
    log.warning("%s : %s (%s)", many(cancelled, "envoi annulé", "envois annulés"), what, who)
    if doubted:
        raise PermanentError(f"Tournée arrêtée ({who}) : {READING_REFUSED}.")
    return cancelled
