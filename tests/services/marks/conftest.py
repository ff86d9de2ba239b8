"""A ledger's backups, and the file of its mark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenes.backups import Backups, MarkInMemory
from tests.simulators.postgres import EmbeddedPostgres


@pytest.fixture
def backups(postgres_server: EmbeddedPostgres) -> Iterator[Backups]:
    with Backups(postgres_server) as made:
        yield made


@pytest.fixture
def file() -> MarkInMemory:
    return MarkInMemory()
