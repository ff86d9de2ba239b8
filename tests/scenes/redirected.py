"""A library whose messages are redirected: `library.toml` with the section, as the pages read it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loan_reminders.settings.library_toml import ROOT, settings

SECTION = """
[redirect]
email = "essai@bu-montclar.example"
mobile = "06 00 00 00 01"
"""
ALLOW = 'allow = ["collegue@bu-montclar.example"]\n'


@contextmanager
def redirecting(monkeypatch: pytest.MonkeyPatch, folder: Path, *, allow: bool = False) -> Iterator[None]:
    """Within, everything is redirected, but for a named colleague with `allow`."""
    path = folder / "library.toml"
    usual = (ROOT / "library.toml").read_text(encoding="utf-8")
    path.write_text(usual + SECTION + (ALLOW if allow else ""), encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setenv("REMINDERS_CONFIG", str(path))
        settings.cache_clear()
        yield
    settings.cache_clear()
