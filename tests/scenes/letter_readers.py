"""Readers who get letters, the batches they are in, and stores that fail, for the tests of letters on paper."""

from __future__ import annotations

from loan_reminders.domain.errors import LetterStoreUnavailable
from loan_reminders.domain.states import Refusal
from loan_reminders.gateways.letters.letter_store import FolderLetterStore
from tests.scenes.builders import an_address
from tests.scenes.outside import Killed
from tests.scenes.world import loan, reader


def by_post(number, *lines, postcode="06000", **changes):
    address = an_address(*(lines or (f"LECTEUR {number}", "1 RUE A", "06000 NICE")), postcode=postcode)
    patron = reader(number, name=f"Lecteur {number}", email=Refusal.MISSING, address=address)
    return loan(number, patron=patron, **changes)


def batches(world):
    return sorted(world.ledger.letters().batches(), key=lambda view: view.batch_id)


def held(world, view):
    return [letter.patron_id for letter in world.ledger.letters().letters_of(view.batch_id)]


class KilledAfterStoring(FolderLetterStore):
    """The process dies between the folder and the ledger, at the batch of this number."""

    def __init__(self, root, at=1):
        super().__init__(root)
        self.left = at

    def store(self, name, files, *, replace=False):
        stored = super().store(name, files, replace=replace)
        self.left -= 1
        if not self.left:
            raise Killed
        return stored


class FullDisk(FolderLetterStore):
    """A store without room left after some batches."""

    def __init__(self, root, after=0):
        super().__init__(root)
        self.left = after

    def store(self, name, files, *, replace=False):
        self.left -= 1
        if self.left < 0:
            raise LetterStoreUnavailable("No space left on device")
        return super().store(name, files, replace=replace)
