"""Once a night: remove what has been kept long enough. The stages go on sending meanwhile."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import datetime

from loan_reminders.domain.ports.retention import OldFiles, Place, Retention
from loan_reminders.domain.ports.statistics import LoanEnds
from loan_reminders.domain.retention.terms import Removed, Terms
from loan_reminders.domain.stages import Stage
from loan_reminders.french.retention import removed_words
from loan_reminders.services.letters.batches import DRAFTS, TRIALS
from loan_reminders.services.runs.rehearse import sweep_rehearsals

log = logging.getLogger(__name__)

WHO_WE_ARE = "relances"
"""Who does in the journal what no person did."""

_OUR_FOLDER = re.compile(rf"(?:{'|'.join(Stage)})-\d{{4}}-\d{{2}}-\d{{2}}-(\d{{1,18}})-\d+")
_PLACES = ("", DRAFTS, TRIALS, f"{DRAFTS}/{TRIALS}")
"""Where folders of batches lie."""


def erase_expired(
    retention: Retention,
    ends: LoanEnds,
    files: OldFiles,
    *,
    terms: Terms,
    now: datetime,
    rehearse: bool,
    who: str = WHO_WE_ARE,
) -> Removed:
    """Remove loans, messages, readers, letters and answers whose time has come, a short transaction at a time.

    Whatever stops it, the next passage goes on: a page is removed and counted, or it is not. The files of a batch go
    before its rows, so that no file is left that nobody knows.

    Args:
        retention: The ledger.
        ends: Where ends of loans are kept: runs that were never counted are, before their loans go.
        files: The store of letters.
        terms: What has been kept long enough.
        now: The moment at which the passage began, aware.
        rehearse: Only count what would go. Readers whose last loans would go are not among them yet.
        who: Who does it, for the journal.

    Raises LedgerUnavailable or LetterStoreUnavailable; what was removed by then stays removed.
    """
    if not rehearse:
        ends.learn()
    total = Removed()
    for kind in retention.kinds:
        for removed in _pages(retention, kind, terms, rehearse=rehearse, who=who):
            total += removed
    total += _batches(retention, files, terms, rehearse=rehearse, who=who)
    total += _folders(retention, files, terms, rehearse=rehearse, who=who)
    if rehearse:
        log.info("Essai à blanc, rien n'est effacé. À effacer : %s", removed_words(total))
    else:
        sweep_rehearsals(files, now)
        for told in retention.tell():
            log.info("Effacé le %s : %s", told.day.strftime("%d/%m/%Y"), removed_words(told.removed))
        if total == Removed():
            log.info("Rien à effacer : rien n'a été conservé assez longtemps")
    return total


def _pages(retention: Retention, kind: str, terms: Terms, *, rehearse: bool, who: str) -> Iterator[Removed]:
    after: Place = None
    while True:
        removed, after = retention.remove(kind, terms, after=after, rehearse=rehearse, who=who)
        yield removed
        if after is None:
            return


def _batches(retention: Retention, files: OldFiles, terms: Terms, *, rehearse: bool, who: str) -> Removed:
    """The batches of which no letter is left, files first."""
    number, after = 0, 0
    while found := retention.empty_batches(terms, after=after):
        for batch_id, folder in found:
            if not rehearse:
                files.remove(folder)
                retention.forget_batch(batch_id, terms, who=who)
            number, after = number + 1, batch_id
    return Removed(batches=number)


def _folders(retention: Retention, files: OldFiles, terms: Terms, *, rehearse: bool, who: str) -> Removed:
    """What an interrupted run stored and no run ever took up, and drafts whose run never came to remove them."""
    number = 0
    for place in _PLACES:
        ours = {}
        for name in files.folders(place):
            if match := _OUR_FOLDER.fullmatch(name):
                ours[f"{place}/{name}" if place else name] = int(match[1])
        for folder in retention.unknown_folders(terms, ours):
            if not rehearse:
                files.remove(folder)
                retention.count_folder(terms, who=who)
            number += 1
    return Removed(folders=number)
