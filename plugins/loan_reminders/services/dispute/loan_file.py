"""Make the file of a loan that a reader contests: find the loan, read everything about it, write one PDF."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime, tzinfo

from loan_reminders.domain.dispute.loan_file import DisputePdf, LoanFiles, LoanFound, LoanSearch
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.ports.letters import LetterArchive
from loan_reminders.places import TEMPLATES
from loan_reminders.rendering.dispute.renderer import DisputeRenderer
from loan_reminders.rendering.template_folders import TemplatePlace

log = logging.getLogger(__name__)

NOT_FOUND = "Le registre ne connaît aucun prêt qui réponde à cette recherche."
"""The answer to a search that found nothing."""

SEVERAL = "Plusieurs prêts répondent à cette recherche : choisir lequel."
"""The answer to a search that found several loans."""

FILE_NAME = "dossier-de-pret.pdf"
"""What the file is called, without personal data."""


def find_loans(files: LoanFiles, search: LoanSearch) -> Sequence[LoanFound]:
    """The loans that a search names, the most recently seen first. Raises LedgerUnavailable."""
    return files.find(search)


def choice_words(found: LoanFound) -> str:
    """What tells a loan from another of the same document, without saying whose it is."""
    if found.loan is None:
        return "description effacée du registre"
    return f"prêté le {found.loan.loan_date:%d/%m/%Y}, à rendre le {found.loan.due_date:%d/%m/%Y}"


def make_dispute_file(
    files: LoanFiles,
    archive: LetterArchive,
    library: LibraryIdentity,
    loan_id: str,
    *,
    who: str,
    made_at: datetime,
    zone: tzinfo,
    templates: TemplatePlace = TEMPLATES,
) -> DisputePdf | None:
    """Everything sent about a loan as one PDF, `made_at` a moment (aware); None when the ledger never heard of it.

    Who made it is kept in the journal, and logged; the loan only by a digest of its number. Raises LedgerUnavailable,
    TemplateError, LettersNotPrinted, or LetterStoreUnavailable when the disk is full.
    """
    dispute = files.file(loan_id)
    if dispute is None:
        return None
    made = DisputeRenderer(library, zone=zone, templates=templates).render(dispute, read=archive.read, made_at=made_at)
    files.note_made(dispute, who=who)
    log.info(
        "Dossier d'un prêt fait par %s : envois %d, pages %d (empreinte du prêt %s)",
        who,
        made.deliveries,
        made.pages,
        hashlib.sha256(loan_id.encode()).hexdigest()[:12],
    )
    if made.missing:
        log.warning("Dossier d'un prêt, lettres dont le fichier n'a pas pu être lu : %d", made.missing)
    return made
