"""What the trial installation sets: a copy of library.toml, and the connections to the simulators."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sql.demo.systems.library_site import site_settings
from tests.simulators.oracle_server import SERVICE

ROOT = Path(__file__).resolve().parents[2]
ILS_LOGIN, SMS_LOGIN = "relances", "bu-montclar"

ALERTED = "equipe@bu-montclar.example"
"""Who is told of red and late runs."""

ALERT_RELAY = 'connection = "alert_relay"'
"""By a server of its own."""

ALWAYS = 'window = { opens = "00:00", closes = "24:00", weekdays = [1, 2, 3, 4, 5, 6, 7], on_holidays = true }'


def settings_for_any_hour(path: Path, ils: str = "aleph") -> Path:
    """A copy of library.toml, at `path`, whose SMS may leave at any hour: the demo works at night and on Sundays."""
    text = site_settings((ROOT / "library.toml").read_text(encoding="utf-8"), ils, f"ils_{ils}")
    text = text.replace("recipients = []", f'recipients = ["{ALERTED}"]')
    text = re.sub(r'(?m)^connection = "mail_relay"(?= +# the Airflow connection that sends)', ALERT_RELAY, text)
    path.write_text(re.sub(r"(?m)^window = \{.*$", ALWAYS, text), encoding="utf-8")
    return path


def trial_connections(
    ports: Mapping[str, int], *, ledger_socket: Path, ils_password: str, sms_key: str
) -> dict[str, dict[str, Any]]:
    """Airflow's connections, by the end of the variable that gives each; `ports` are those of the simulators."""
    here = {"host": "127.0.0.1"}
    in_clear = {"extra": {"disable_ssl": True, "disable_tls": True}}
    return {
        "ILS_ORACLE": here
        | {"conn_type": "oracle", "port": ports.get("oracle"), "login": ILS_LOGIN, "password": ils_password}
        | {"extra": {"service_name": SERVICE}},
        "REMINDERS_LEDGER": {"conn_type": "postgres", "login": "postgres", "schema": "ledger"}
        | {"extra": {"host": str(ledger_socket)}},
        "MAIL_RELAY": here | {"conn_type": "smtp", "port": ports["smtp"]} | in_clear,
        "ALERT_RELAY": here | {"conn_type": "smtp", "port": ports["alerts"]} | in_clear,
        "ALLMYSMS": here
        | {"conn_type": "http", "port": ports["allmysms"], "schema": "http", "login": SMS_LOGIN, "password": sms_key}
        | {"extra": {"login_in_clear": True}},
    }
