"""The pages are tried on the same ledger and the same application as in `tests/web`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.conftest import installed, ledger

__all__ = ["installed", "ledger"]


@pytest.fixture
def pages(installed: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The pages on that ledger, with a folder for letters, and closed to the SMS provider."""
    monkeypatch.setenv("REMINDERS_STORAGE", str(tmp_path / "letters"))
    monkeypatch.delenv("REMINDERS_SMS_CALLBACK_TOKEN")
