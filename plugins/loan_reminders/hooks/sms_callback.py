"""The address that the SMS provider calls: its secret path and limits, read from the environment, and what it says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

from loan_reminders.domain.errors import SettingsError

if TYPE_CHECKING:
    from loan_reminders.domain.sms.feedback import SmsAck, SmsReply

TOKEN = "REMINDERS_SMS_CALLBACK_TOKEN"  # noqa: S105 - the name of the variable, not its value
PER_SECOND = "REMINDERS_SMS_CALLBACK_PER_SECOND"
BURST = "REMINDERS_SMS_CALLBACK_BURST"
NETWORKS = "REMINDERS_SMS_CALLBACK_NETWORKS"
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


def callback_networks() -> tuple[IPv4Network | IPv6Network, ...]:
    """From where the provider may call (`REMINDERS_SMS_CALLBACK_NETWORKS`: `192.0.2.0/24, 2001:db8::/32`).

    Empty: from anywhere. Behind a proxy, Airflow's server must be told to believe its `X-Forwarded-For`. Raises
    SettingsError.
    """
    written = [part for part in os.environ.get(NETWORKS, "").replace(",", " ").split() if part]
    try:
        return tuple(ip_network(part) for part in written)
    except ValueError:
        raise SettingsError(
            f"{NETWORKS} : des réseaux ou des adresses sont attendus, séparés par des virgules, par ex."
            " 192.0.2.0/24, 198.51.100.7"
        ) from None


def read_callback(fields: Mapping[str, str], *, now: datetime) -> SmsAck | SmsReply | None:
    """The receipt or the reply of one callback, at this moment; None when it is neither, or cannot be believed."""
    from loan_reminders.gateways.sms.allmysms_callback import read_callback
    from loan_reminders.settings.library_toml import settings

    return read_callback(fields, now=now, countries=frozenset(settings().sms.countries))
