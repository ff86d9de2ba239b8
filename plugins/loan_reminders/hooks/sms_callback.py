"""The address that the SMS provider calls: its secret path and who may call from the environment, calls as values.

Each of several libraries has a path of its own, and a secret of its own made from the one of the environment: whoever
knows the address of one library can say nothing in the name of another.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from datetime import datetime
from functools import cache, lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from loan_reminders.domain.errors import SettingsError
from loan_reminders.settings.libraries import codes, current_library

if TYPE_CHECKING:
    from loan_reminders.domain.sms.feedback import SmsAck, SmsReply

TOKEN = "REMINDERS_SMS_CALLBACK_TOKEN"  # noqa: S105 - the name of the variable, not its value
TOKEN_FILE = "REMINDERS_SMS_CALLBACK_TOKEN_FILE"  # noqa: S105
NETWORKS = "REMINDERS_SMS_CALLBACK_NETWORKS"
SHORTEST_TOKEN = 24
LONGEST_OF_OURS = 40
"""Hexadecimal digits of a library's own secret: 160 bits."""


def callback_token() -> str | None:
    """The unguessable end of the path; None under 24 characters: no such address.

    It is `REMINDERS_SMS_CALLBACK_TOKEN`, or the content of the file that `REMINDERS_SMS_CALLBACK_TOKEN_FILE` names.
    Inside a library of several, that library's own. Raises SettingsError when that file cannot be read.
    """
    token = os.environ.get(TOKEN, "").strip() or _token_of_file(os.environ.get(TOKEN_FILE, ""))
    library = current_library()
    if len(token) < SHORTEST_TOKEN:
        return None
    return token if library is None else _of_library(token, library)


def callback_tokens() -> tuple[str, ...]:
    """Every secret that opens such an address here, and the one that they are made from; none without it."""
    token = callback_token()
    return () if token is None else (token, *(_of_library(token, code) for code in codes()))


@lru_cache(maxsize=1024)
def _of_library(token: str, code: str) -> str:
    return hmac.new(token.encode(), code.encode(), hashlib.sha256).hexdigest()[:LONGEST_OF_OURS]


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

    ours = settings().sms
    zone, countries = ZoneInfo(ours.provider_zone), frozenset(ours.countries)
    return read_callback(fields, now=now, zone=zone, countries=countries)
