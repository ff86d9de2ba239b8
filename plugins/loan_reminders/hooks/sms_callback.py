"""The door the SMS provider calls us at: its secret path and its limits from the environment, its words as values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loan_reminders.domain.errors import SettingsError

if TYPE_CHECKING:
    from loan_reminders.domain.sms_feedback import SmsAck, SmsReply

TOKEN = "REMINDERS_SMS_CALLBACK_TOKEN"  # noqa: S105 - the name of the variable, not its value
PER_SECOND = "REMINDERS_SMS_CALLBACK_PER_SECOND"
BURST = "REMINDERS_SMS_CALLBACK_BURST"
SHORTEST_TOKEN = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackLimits:
    """How many callbacks one process takes: so many a second, and so many at once after a quiet moment."""

    per_second: float = 1_000
    burst: int = 10_000


def callback_token() -> str | None:
    """The unguessable end of the path (`REMINDERS_SMS_CALLBACK_TOKEN`); None, no door, under 24 characters."""
    token = os.environ.get(TOKEN, "").strip()
    return token if len(token) >= SHORTEST_TOKEN else None


def callback_limits() -> CallbackLimits:
    """The limits (`REMINDERS_SMS_CALLBACK_PER_SECOND`, `REMINDERS_SMS_CALLBACK_BURST`). Raises SettingsError."""
    usual = CallbackLimits()
    per_second, burst = os.environ.get(PER_SECOND), os.environ.get(BURST)
    try:
        limits = CallbackLimits(
            per_second=float(per_second) if per_second else usual.per_second,
            burst=int(burst) if burst else usual.burst,
        )
    except ValueError:
        raise SettingsError(f"{PER_SECOND} et {BURST} : des nombres sont attendus") from None
    if not (0 < limits.per_second < float("inf") and limits.burst >= 1):
        raise SettingsError(f"{PER_SECOND} et {BURST} : des nombres positifs sont attendus")
    return limits


def read_callback(fields: Mapping[str, str]) -> SmsAck | SmsReply | None:
    """The receipt or the reply of one callback; None when it is neither."""
    from loan_reminders.gateways.allmysms_callback import read_callback

    return read_callback(fields)
