"""The address that the SMS provider calls: its secret path and who may call from the environment, calls as values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from loan_reminders.domain.errors import SettingsError

if TYPE_CHECKING:
    from loan_reminders.domain.sms.feedback import SmsAck, SmsReply

TOKEN = "REMINDERS_SMS_CALLBACK_TOKEN"  # noqa: S105 - the name of the variable, not its value
TOKEN_FILE = "REMINDERS_SMS_CALLBACK_TOKEN_FILE"  # noqa: S105
NETWORKS = "REMINDERS_SMS_CALLBACK_NETWORKS"
SHORTEST_TOKEN = 24


def callback_token() -> str | None:
    """The unguessable end of the path; None under 24 characters: no such address.

    It is `REMINDERS_SMS_CALLBACK_TOKEN`, or the content of the file that `REMINDERS_SMS_CALLBACK_TOKEN_FILE` names.
    Raises SettingsError when that file cannot be read.
    """
    token = os.environ.get(TOKEN, "").strip() or _token_of_file(os.environ.get(TOKEN_FILE, ""))
    return token if len(token) >= SHORTEST_TOKEN else None


@cache
def _token_of_file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip() if path else ""
    except (OSError, ValueError):
        raise SettingsError(f"{TOKEN_FILE} : le fichier {path} ne se lit pas ; il tient le jeton seul.") from None


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
