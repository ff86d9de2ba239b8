"""What comes back to the sender of e-mails: bounces, definite or not, and answers of machines."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class BounceKind(StrEnum):
    """What a bounce says. `HARD`: this address will never take mail. `SOFT`: not now. `DELAYED`: still being tried."""

    HARD = "hard"
    SOFT = "soft"
    DELAYED = "delayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """One e-mail of ours that came back.

    `fingerprint` is the same whenever the same report is read again. `delivery_id` is what the report quotes of ours
    (the return path or the Message-ID), None when it quotes nothing that we could have sent. `recipient` is the
    address that failed, as the report says, lower case, empty when it does not. `status` is the enhanced status code
    (RFC 3463), empty when there is none; `diagnostic` what the server said; `raw` the report's own headers and parts.
    `named` are all the addresses that the report names anywhere, lower case: a reader's mail may be forwarded.
    """

    fingerprint: str
    kind: BounceKind
    delivery_id: uuid.UUID | None
    recipient: str
    status: str
    diagnostic: str
    received_at: datetime | None
    raw: str
    named: tuple[str, ...] = ()


class Arrival(StrEnum):
    """What a message of the mailbox is.

    `BOUNCE`: a report about an e-mail that did not arrive. `SUCCESS`: a report about one that did, or was passed on.
    `AUTO_REPLY`: the answer of a machine, nobody need read it. `OTHER`: anything else, a person's answer above all.
    `UNREADABLE`: it looks like a report, and cannot be understood. `TOO_COSTLY`: reading it takes too long.
    """

    BOUNCE = "bounce"
    SUCCESS = "success"
    AUTO_REPLY = "auto_reply"
    OTHER = "other"
    UNREADABLE = "unreadable"
    TOO_COSTLY = "too_costly"


PUT_AWAY = frozenset({Arrival.BOUNCE, Arrival.SUCCESS, Arrival.AUTO_REPLY, Arrival.TOO_COSTLY})
"""What is moved out of the mailbox once it is kept; the rest is left to the people who read it.

What costs too much to read is moved too, or it would cost as much at every hour.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMessage:
    """One message of the mailbox: its number there (IMAP UID), what it is, and the bounce that it reports."""

    uid: int
    arrival: Arrival
    bounce: Bounce | None = None
