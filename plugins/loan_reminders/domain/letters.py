"""Letters on paper: their batches, and the life of a registered letter; every step is a person's, and is kept."""

from __future__ import annotations

from enum import StrEnum


class BatchState(StrEnum):
    """How far a batch of letters is.

    `DRAFT`: laid out, waits for a librarian's approval. `READY`: closed, to be printed. `PRINTED`: a librarian took its
    PDF to the printer; its content never changes any more. `ABANDONED`: a draft that was refused or replaced.
    """

    DRAFT = "draft"
    READY = "ready"
    PRINTED = "printed"
    ABANDONED = "abandoned"


class RegisteredState(StrEnum):
    """Where a registered letter is, as far as a person said so."""

    TO_PRINT = "to_print"
    PRINTED = "printed"
    NUMBERED = "numbered"
    POSTED = "posted"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"


class ReturnReason(StrEnum):
    """Why the post brought a registered letter back. `RETURNED_UNDELIVERABLE` is NPAI: the address is bad."""

    UNCLAIMED = "unclaimed"
    RETURNED_UNDELIVERABLE = "returned_undeliverable"
    REFUSED_BY_READER = "refused_by_reader"


class LetterAct(StrEnum):
    """What a person, or the program for them, did to a batch or to one letter of it."""

    DRAFTED = "drafted"
    APPROVED = "approved"
    NOT_APPROVED = "not_approved"
    CLOSED = "closed"
    TAKEN_OUT = "taken_out"
    LEFT_OUT = "left_out"
    PRINTED = "printed"
    COPIED = "copied"
    NUMBERED = "numbered"
    POSTED = "posted"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"
    UNDONE = "undone"
