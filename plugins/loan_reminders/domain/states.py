"""Closed lists: the states of a delivery, why one did not arrive, why a loan was skipped or a recipient refused."""

from __future__ import annotations

from enum import StrEnum


class DeliveryState(StrEnum):
    """Where a delivery is: `PLANNED → CLAIMED → ACCEPTED → DELIVERED`, or one of the exits.

    A letter is `ACCEPTED` once its batch is stored.
    """

    PLANNED = "planned"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    BOUNCED = "bounced"
    IN_DOUBT = "in_doubt"
    FAILED = "failed"


S = DeliveryState
TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    S.PLANNED: frozenset({S.CLAIMED, S.CANCELLED, S.REFUSED, S.FAILED}),
    S.CLAIMED: frozenset({S.PLANNED, S.ACCEPTED, S.REFUSED, S.IN_DOUBT, S.FAILED}),
    S.IN_DOUBT: frozenset({S.CLAIMED, S.ACCEPTED, S.DELIVERED, S.REFUSED, S.BOUNCED, S.CANCELLED}),
    S.ACCEPTED: frozenset({S.DELIVERED, S.BOUNCED, S.CANCELLED}),
    S.DELIVERED: frozenset(),
    S.CANCELLED: frozenset(),
    S.REFUSED: frozenset(),
    S.BOUNCED: frozenset(),
    S.FAILED: frozenset(),
}
"""Every move a delivery may make; the ledger refuses the others.

Only a letter goes from ACCEPTED to CANCELLED: taken out of its batch before it was printed.
"""

FREES_SLOT = frozenset({S.CANCELLED, S.REFUSED, S.BOUNCED, S.FAILED})
"""States in which nothing reached the reader: a later message about the loans may go, by this channel or another."""


class Reason(StrEnum):
    """Why a delivery is in its state, when the state alone does not say it.

    `NOT_TOLD`: the ILS still has the loan, and nobody is reminded of it any more (lost, claimed returned).
    """

    DRY_RUN = "dry_run"
    RETURNED = "returned"
    RENEWED = "renewed"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    NOT_APPROVED = "not_approved"
    SAME_NUMBER_TODAY = "same_number_today"
    OPTED_OUT = "opted_out"
    DEAD_NUMBER = "dead_number"
    DEAD_ADDRESS = "dead_address"
    TAKEN_OUT = "taken_out"
    HELD = "held"
    INVALID_RECIPIENT = "invalid_recipient"
    RECIPIENT_REFUSED = "recipient_refused"
    RECIPIENT_DEFERRED = "recipient_deferred"
    MESSAGE_REFUSED = "message_refused"
    NOT_RENDERED = "not_rendered"
    TEXT_TOO_LONG = "text_too_long"
    NO_ANSWER = "no_answer"
    UNREADABLE_ANSWER = "unreadable_answer"
    INTERRUPTED = "interrupted"
    NOT_SENT = "not_sent"
    RETRIES_EXHAUSTED = "retries_exhausted"
    LEDGER_INCOMPLETE = "ledger_incomplete"
    NOT_TOLD = "not_told"


class SkipReason(StrEnum):
    """Why a loan (or one slot of it) leads to no delivery."""

    ALREADY_SENT = "already_sent"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    NOT_YET_DUE = "not_yet_due"
    OPTED_OUT = "opted_out"
    DEAD_NUMBER = "dead_number"
    DEAD_ADDRESS = "dead_address"
    INVALID_RECIPIENT = "invalid_recipient"
    NO_RECIPIENT = "no_recipient"
    NOT_ELIGIBLE = "not_eligible"
    RETURNED = "returned"
    RENEWED = "renewed"
    HELD = "held"
    BEFORE_START = "before_start"
    INVALID_ROW = "invalid_row"
    DUPLICATE_ROW = "duplicate_row"
    DECLINED = "declined"
    NOT_ASKED_FOR = "not_asked_for"
    MINOR = "minor"
    NOT_TEXTED = "not_texted"
    CONTROL_GROUP = "control_group"
    NOT_TOLD = "not_told"


class Refusal(StrEnum):
    """Why a phone, e-mail or postal address cannot be used. `MISSING`: the ILS holds nothing at all."""

    MISSING = "missing"
    NOT_A_NUMBER = "not_a_number"
    NOT_MOBILE = "not_mobile"
    INVALID_NUMBER = "invalid_number"
    DUMMY = "dummy"
    COUNTRY_NOT_ALLOWED = "country_not_allowed"
    NOT_AN_ADDRESS = "not_an_address"
    TOO_FEW_LINES = "too_few_lines"
    COUNTRY_UNSURE = "country_unsure"
    NO_POSTCODE = "no_postcode"
    LINE_TOO_LONG = "line_too_long"
    TOO_MANY_LINES = "too_many_lines"
    HOMELESS = "homeless"
    OWN_ADDRESS = "own_address"
