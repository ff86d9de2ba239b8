"""Registered letters before they are printed: lay out drafts, ask a librarian, and do what the librarian decided."""

from __future__ import annotations

import logging
import re
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from loan_reminders.domain.errors import PermanentError
from loan_reminders.domain.letters.batches import DraftLetter
from loan_reminders.domain.ports.outside import Ledger, LetterStore
from loan_reminders.domain.stages import Channel
from loan_reminders.french.plurals import many
from loan_reminders.services.dispatch import Tally
from loan_reminders.services.letters.batches import WORK_PREFIX, LetterSetup, batch_name, groups, store_batch
from loan_reminders.services.letters.printing import BatchMaker, remove_abandoned, set_aside
from loan_reminders.services.runs.check_volume import check_planned
from loan_reminders.services.runs.still_due import StillDue

log = logging.getLogger(__name__)

KIND = Channel.REGISTERED_LETTER
APPROVE, REFUSE = "Valider", "Ne rien imprimer"
"""The two answers: the words of the buttons, and what Airflow keeps."""

ROWS = 200
"""How many letters the question lists; the page of the batch has them all."""

REASONS = (
    "document rendu ou retrouvé",
    "accord avec le lecteur",
    "adresse à vérifier",
    "erreur de la bibliothèque",
    "autre motif",
)
"""Why letters do not leave, where a reason in one's own words would be kept outside the ledger."""

_SEPARATORS = re.compile(r"[\s,;]+")
_REFERENCE = re.compile(r"[A-Z]{1,2}[0-9]|[A-Z]{2}-")
"""How a reference begins; anything else typed in its place may be a reader's name and is not repeated."""
_NAMED_AT_MOST, _NAME_LENGTH, _DETAIL_LENGTH = 10, 30, 500


def prepare_letters(
    ledger: Ledger, store: LetterStore, setup: LetterSetup, *, run_id: int, still_due: StillDue
) -> dict[str, int]:
    """Lay out the registered letters that wait and are still due as drafts; returns how many drafts and letters.

    The letters are not claimed: they wait until somebody approved them. An older draft of the run is abandoned and its
    files removed. A letter that cannot be laid out is set aside with its reason. A dry run needs no draft. Raises like
    `print_letters`.
    """
    run = ledger.run(run_id)
    if run.dry_run:
        return {}
    drafts = ledger.drafts()
    maker = BatchMaker(ledger=ledger, store=store, setup=setup, run=run, kind=KIND, tally=Tally(channel="Lettres"))
    kept: list[str] = []
    letters = 0
    with ledger.sender(run_id, KIND) as sender, tempfile.TemporaryDirectory(prefix=WORK_PREFIX) as folder:
        number = drafts.drafts_recorded(run_id) + 1
        if ledger.planned_count(run_id, KIND):
            maker.check()
            still_due.settle(sender)
            maker.compose(sender, claim=False)
        made = groups(maker.held, library=setup.library, split_by_branch=setup.split_by_branch)
        for place, (branch, group) in enumerate(made):
            printed = maker.lay_out(group, Path(folder) / str(place))
            sender.record(set_aside(printed))
            if not printed.pdfs:
                continue
            name = batch_name(run, number, draft=True, trial=setup.trial)
            batch = store_batch(store, printed, name=name, kind=KIND, branch=branch, setup=setup, draft=True)
            sender.record_batch(batch)
            log.info(
                "Brouillon %s : %s, %s",
                batch.name,
                many(batch.letters, "lettre", "lettres"),
                many(batch.pages, "page", "pages"),
            )
            kept.append(name)
            letters += batch.letters
            number += 1
        drafts.abandon(run_id, keep=kept)
        store.remove(batch_name(run, number, draft=True, trial=setup.trial))
        remove_abandoned(ledger, store, run_id)
        _abandon_what_was_taken_over(ledger, store, run_id)
    return {"drafts": len(kept), "letters": letters}


def _abandon_what_was_taken_over(ledger: Ledger, store: LetterStore, run_id: int) -> None:
    """Abandon the drafts of earlier runs of which no letter waits any more: this run took them over."""
    drafts = ledger.drafts()
    for run in ledger.unfinished_runs(run_id):
        if drafts.drafts(run.run_id) and not any(letter.waiting for letter in drafts.letters(run.run_id)):
            drafts.abandon(run.run_id)
            remove_abandoned(ledger, store, run.run_id)


def approval_question(ledger: Ledger, *, run_id: int, pages: str) -> str | None:
    """The question to put to a librarian, in French Markdown, or None when no letter waits for an answer.

    `pages` is the address below which each batch has its page. The question holds references and figures and no
    name, because it is kept outside the ledger.
    """
    run = check_planned(ledger.run(run_id))
    if run.dry_run:
        return None
    waiting = [letter for letter in ledger.drafts().letters(run_id) if letter.waiting]
    if not waiting:
        return None
    log.info("Lettres recommandées qui attendent une validation : %d", len(waiting))
    return "\n".join(_question(waiting, due=f"{run.due_date:%d/%m/%Y}", pages=pages))


def _question(waiting: Sequence[DraftLetter], *, due: str, pages: str) -> Iterator[str]:
    letters = many(len(waiting), "lettre recommandée", "lettres recommandées")
    yield f"**{letters}**, prêts à échéance du **{due}**."
    yield ""
    for batch_id in dict.fromkeys(letter.batch_id for letter in waiting):
        yield f"- [Voir le lot {batch_id} : les noms, la liste et le PDF]({pages}/{batch_id})"
    yield ""
    yield "| Référence | Documents | Pages |"
    yield "|---|---:|---:|"
    for letter in waiting[:ROWS]:
        yield f"| {letter.reference} | {letter.documents} | {letter.pages} |"
    if len(waiting) > ROWS:
        yield ""
        yield f"… et {len(waiting) - ROWS} autres, dans la page du lot."
    yield ""
    yield (
        "Pour ne pas envoyer une lettre, la retirer sur la page de son lot avec la raison en clair, ou écrire ici sa "
        "référence dans « Retirer » et choisir un « Motif » ; puis valider. "
        "Au moment d'imprimer, le SIGB est interrogé à nouveau : ce qui est rendu ou prolongé entre-temps ne part pas. "
        "« Ne rien imprimer » annule toutes ces lettres ; une tournée relancée les prépare à nouveau."
    )


def approve(ledger: Ledger, *, run_id: int, who: str, references: str, detail: str) -> int:
    """Approve a run's drafts but the letters of these references, which are cancelled; returns how many these are.

    `references` are separated by spaces or commas, `detail` is why they are taken out. Raises PermanentError, and
    approves nothing, when a reference is not of a letter that waits, or when nobody says why.
    """
    with ledger.alone(run_id, KIND):
        taken_out = _found(ledger.drafts().letters(run_id), references)
        detail = " ".join(detail.split())[:_DETAIL_LENGTH]
        if taken_out and not detail:
            raise PermanentError(
                "Rien n'est validé : des lettres sont à retirer, mais le motif manque."
                " Effacer cette tâche (« Clear ») pour que la question soit posée à nouveau."
            )
        cancelled = ledger.drafts().approve(run_id, taken_out=taken_out, who=who, detail=detail)
    log.info("Lettres recommandées validées (%s) ; retirées : %d", who, cancelled)
    return cancelled


def refuse(ledger: Ledger, *, run_id: int, who: str, detail: str) -> int:
    """Cancel every registered letter of a run that waits, as a librarian decided; returns how many deliveries."""
    with ledger.alone(run_id, KIND):
        cancelled = ledger.drafts().refuse(run_id, who=who, detail=" ".join(detail.split())[:_DETAIL_LENGTH])
    log.warning("Lettres recommandées annulées, non validées : %d (%s)", cancelled, who)
    return cancelled


def _found(letters: Sequence[DraftLetter], references: str) -> list[uuid.UUID]:
    """The letters of these references, those already taken out too."""
    known: dict[str, list[uuid.UUID]] = {}
    for letter in letters:
        if letter.waiting or letter.left_out is not None:
            known.setdefault(letter.reference.upper(), []).append(letter.delivery_id)
    asked = list(dict.fromkeys(word.upper() for word in _SEPARATORS.split(references) if word))
    unknown = [word for word in asked if len(known.get(word, ())) != 1]
    if unknown:
        shown = [word[:_NAME_LENGTH] if _REFERENCE.match(word) else "(autre texte)" for word in unknown]
        named = ", ".join(shown[:_NAMED_AT_MOST])
        more = f" et {len(unknown) - _NAMED_AT_MOST} autres" if len(unknown) > _NAMED_AT_MOST else ""
        raise PermanentError(
            f"Rien n'est validé : ce lot n'a pas de lettre en attente de référence {named}{more}."
            " Effacer cette tâche (« Clear ») pour que la question soit posée à nouveau."
        )
    return [known[word][0] for word in asked]
