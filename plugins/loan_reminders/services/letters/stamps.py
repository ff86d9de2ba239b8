"""What is stamped on each page of a batch's files, and how these are called, by what the batch is.

Letters of a trial bear their stamp wherever they come from, as long as they are kept: they are laid out from real loans
and addresses, and nothing else tells them from letters to post.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from loan_reminders.domain.errors import LetterStepRefused
from loan_reminders.domain.letters.batches import BatchRefusal, BatchView
from loan_reminders.french.letters import COPY_STAMP, STAMPS, TRIAL_LINE, TRIAL_STAMP

if TYPE_CHECKING:
    from loan_reminders.rendering.letters.copies import Stamp


def print_stamp(batch: BatchView) -> Stamp | None:
    """What is on the pages that are printed: nothing, but on those of a trial."""
    from loan_reminders.rendering.letters.copies import Stamp

    return Stamp(word=TRIAL_STAMP, line=f"{TRIAL_LINE} – lot {batch.batch_id}") if batch.trial else None


def preview_stamp(batch: BatchView, now: datetime) -> Stamp:
    """What is on the pages that are looked at before printing. Raises LetterStepRefused once they are printed."""
    from loan_reminders.rendering.letters.copies import Stamp

    word = STAMPS.get(batch.state)
    if word is None:
        raise LetterStepRefused(BatchRefusal(batch.state.value))
    line = f"{word} – lot {batch.batch_id}, {now:%d/%m/%Y} – ne pas poster"
    return Stamp(word=TRIAL_STAMP, line=f"{TRIAL_LINE} – {line}") if batch.trial else Stamp(word=word, line=line)


def copy_stamp(batch: BatchView, now: datetime, *, more: str = "") -> Stamp:
    """What is on a copy, which says `more` of its letter."""
    from loan_reminders.rendering.letters.copies import Stamp

    line = f"{COPY_STAMP} du {now:%d/%m/%Y}{more}"
    return Stamp(word=TRIAL_STAMP, line=f"{TRIAL_LINE} – {line}") if batch.trial else Stamp(word=COPY_STAMP, line=line)


def file_name(batch: BatchView, what: str) -> str:
    """What a file of a batch is called: `lot-12-destinataires.csv`, of a trial `lot-12-essai-destinataires.csv`."""
    return f"lot-{batch.batch_id}{'-essai' if batch.trial else ''}{what}"
