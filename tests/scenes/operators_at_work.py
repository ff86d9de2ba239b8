"""The real operators at work on a world: its ledger, its ILS, its servers, and a cap that any run is beyond."""

from __future__ import annotations

import json
import re
from datetime import datetime
from types import SimpleNamespace
from urllib.parse import urlsplit

from loan_reminders.settings.library_toml import ROOT, read_settings

HOUR = 11


def settings_that_always_ask(folder, more=""):
    """The library's own settings and `more`, but that one message is more than the cap of its channel."""
    text = (ROOT / "library.toml").read_text(encoding="utf-8")
    caps = text.partition("[caps]")[2].partition("\n[")[0]
    text = text.replace(caps, re.sub(r"(?m)^(\w+) = \d+", r"\1 = 0", caps))
    text = re.sub(
        r"(?m)^window = \{.*$",
        'window = { opens = "00:00", closes = "24:00", weekdays = [1, 2, 3, 4, 5, 6, 7], on_holidays = true }',
        text,
    )
    path = folder / "library.toml"
    path.write_text(text + more, encoding="utf-8")
    return read_settings(path)


class AtWork:
    """Runs an operator as a task of the world's stage."""

    def __init__(self, world, monkeypatch, folder, more=""):
        from loan_reminders.operators import base

        self.world = world
        self.config = config = settings_that_always_ask(folder, more)
        now = lambda _: datetime.combine(world.today, datetime.min.time(), config.zone).replace(hour=HOUR)  # noqa: E731
        monkeypatch.setattr(base.Installed, "config", property(lambda _: config))
        monkeypatch.setattr(base.Installed, "ledger", lambda _: world.ledger)
        monkeypatch.setattr(base.Installed, "loan_source", lambda _: world.ils)
        monkeypatch.setattr(base.Installed, "now", now)
        plain = {"disable_ssl": True, "disable_tls": True}
        sms = {"port": urlsplit(world.sms.base_url).port, "schema": "http", "login": world.sms.provider.login}
        for name, connection in {
            "MAIL_RELAY": {"conn_type": "smtp", "port": world.mail.port, "extra": plain},
            "ALLMYSMS": {
                "conn_type": "http",
                **sms,
                "password": world.sms.provider.api_key,
                "extra": {"login_in_clear": True},
            },
        }.items():
            monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps({"host": "127.0.0.1", **connection}))
        self.letters = folder / "letters"
        monkeypatch.setenv("REMINDERS_STORAGE", str(self.letters))

    def operator(self, name, run_id):
        from loan_reminders import operators

        return getattr(operators, name)(task_id="task", default_args={"stage": self.world.stage}, run_id=run_id)

    def execute(self, name, run_id):
        instance = SimpleNamespace(id="1", try_number=1, max_tries=4)
        return self.operator(name, run_id).execute({"ti": instance, "task_instance": instance})

    def left(self):
        """How many messages reached a server, or lie in the folder of letters."""
        return len(self.world.mail.messages()) + len(self.world.sms.provider.accepted) + len(self.pdfs())

    def pdfs(self):
        return list(self.letters.glob("**/*.pdf"))

    def states(self):
        with self.world.ledger.engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT DISTINCT channel, state FROM deliveries").all()
        return {(row.channel, row.state) for row in rows}
