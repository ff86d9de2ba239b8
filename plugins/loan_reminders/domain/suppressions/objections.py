"""« Opposition » : channels by which a reader does not want to be written to, whatever his number or address is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from loan_reminders.domain.errors import CodedError
from loan_reminders.domain.stages import Channel

MAY_OBJECT = (Channel.EMAIL, Channel.SMS)
"""A reader may refuse these. Letters he may not: they are how the library asks for its own documents back, which is
its task whatever the reader prefers (GDPR, article 21, paragraph 1: compelling legitimate grounds)."""

LONGEST_REASON = 300


class ObjectionRefusal(StrEnum):
    """Why an objection is not noted, or not lifted."""

    NO_REASON = "no_reason"
    LETTER = "letter"
    REGISTERED_LETTER = "registered_letter"
    UNKNOWN_CHANNEL = "unknown_channel"
    UNKNOWN_READER = "unknown_reader"
    ALREADY = "already"
    NOT_IN_FORCE = "not_in_force"


class ObjectionRefused(CodedError):
    """An objection cannot be noted or lifted; the code is an `ObjectionRefusal`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """A reader is not written to by one channel, until it is lifted. One that was lifted stays, with who and why."""

    objection_id: int
    patron_id: str
    channel: Channel
    reason: str
    at: datetime
    who: str
    lifted_at: datetime | None = None
    lifted_by: str = ""
    lift_reason: str = ""

    @property
    def in_force(self) -> bool:
        """Whether it holds."""
        return self.lifted_at is None


Objections = Mapping[str, frozenset[Channel]]
"""The channels that readers refuse, by their `patron_id`; whoever refuses none is left out."""

NO_OBJECTION: Objections = MappingProxyType({})


def channel_to_refuse(code: str) -> Channel:
    """The channel of this code, if a reader may refuse it. Raises ObjectionRefused."""
    if code not in set(Channel):
        raise ObjectionRefused(ObjectionRefusal.UNKNOWN_CHANNEL)
    channel = Channel(code)
    if channel not in MAY_OBJECT:
        raise ObjectionRefused(ObjectionRefusal(channel.value))
    return channel
