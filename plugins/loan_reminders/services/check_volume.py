"""Before anything leaves: is this run of the usual size, or must a librarian approve it?"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from loan_reminders.domain.french import CHANNELS, STAGES
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.ports import Ledger
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import Reason
from loan_reminders.domain.volume import Alarm, VolumeGuard, alarms

log = logging.getLogger(__name__)

SAMPLE = 5


def volume_question(
    ledger: Ledger, *, run_id: int, guard: VolumeGuard, past_runs: int, library: LibraryIdentity
) -> str | None:
    """The question to put to a librarian, in French Markdown, or None when the volume is usual.

    It holds figures and a sample without names: the question is kept outside the ledger.
    """
    run = ledger.run(run_id)
    if run.dry_run:
        return None
    planned = ledger.planned_volume(run_id)
    past = ledger.past_volumes(run_id, runs=past_runs)
    found = alarms(planned, past, guard)
    if not found:
        log.info("Volume habituel : %s", {CHANNELS[channel]: count for channel, count in planned.items()})
        return None
    log.warning("Volume inhabituel : la tournée attend une validation")
    lines = [
        f"Prêts à échéance du **{run.due_date:%d/%m/%Y}**, **{STAGES[run.stage]}**.",
        "",
        "| Canal | À envoyer | Médiane des dernières tournées | Plafond |",
        "|---|---:|---:|---:|",
        *(_row(alarm) for alarm in found),
        "",
        f"Tournées comparées : {len(past)}. Échantillon :",
        "",
        *_sample(ledger, run_id, found[0].channel, library),
        "",
        "Un accident dans le SIGB (échéances déplacées en masse) ressemble à ceci : en cas de doute, ne rien envoyer. "
        "Sans réponse dans les 24 heures, rien ne part ; une tournée relancée prépare tout à nouveau.",
    ]
    return "\n".join(lines)


def _row(alarm: Alarm) -> str:
    usual = "aucune" if alarm.usual is None else f"{alarm.usual:g}"
    return f"| {CHANNELS[alarm.channel]} | {alarm.planned} | {usual} | {alarm.cap} |"


def _sample(ledger: Ledger, run_id: int, channel: Channel, library: LibraryIdentity) -> Iterator[str]:
    for delivery in ledger.waiting_sample(run_id, channel, size=SAMPLE):
        loan = delivery.loans[0]
        yield (
            f"- lecteur de catégorie {delivery.notice.patron.category}, {len(delivery.loans)} document(s), "
            f"{library.branch(loan.branch).name}, prêté le {loan.loan_date:%d/%m/%Y}, "
            f"{loan.renewal_count} prolongation(s)"
        )


def refuse(ledger: Ledger, *, run_id: int, who: str) -> int:
    """Cancel everything that waits in the run, on a librarian's word; returns how many deliveries."""
    cancelled = ledger.cancel_waiting(run_id, Reason.NOT_APPROVED, tuple(Channel))
    log.warning("%d envois annulés : volume non validé (%s)", cancelled, who)
    return cancelled
