"""The simulated SMTP server, with and without pipelining."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulators.smtp_sink import SmtpSink


@pytest.fixture(params=[True, False], ids=["pipelining", "step by step"])
def sink(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[SmtpSink]:
    with SmtpSink(tmp_path / "mails", pipelining=request.param) as running:
        yield running
