"""A library's settings that name who is told of red and late runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from loan_reminders.settings.library_toml import ROOT, Settings, read_settings

TEAM = "equipe@bu.example.org"


def told_to(folder: Path, recipients: Sequence[str]) -> Settings:
    """This repository's library.toml with these recipients, by the connection `alert_relay`; written into `folder`."""
    text = (ROOT / "library.toml").read_text(encoding="utf-8")
    text = text.replace("recipients = []", f"recipients = {json.dumps(recipients)}")
    text = text.replace(
        'connection = "mail_relay"               # the Airflow', 'connection = "alert_relay"  # the Airflow'
    )
    (folder / "library.toml").write_text(text, encoding="utf-8")
    return read_settings(folder / "library.toml")
