"""Ledgers of every revision, filled once each, and copies of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from loan_reminders.commands import migrate
from tests.scenes.any_revision import fill
from tests.simulators.postgres import EmbeddedPostgres


@pytest.fixture(scope="module")
def filled(postgres_server: EmbeddedPostgres) -> Iterator[Callable[[str], str]]:
    """A database of a revision with rows in every table, to be copied; each is made once, out of the one before."""
    made: dict[str, str] = {}

    def of(revision: str) -> str:
        if revision not in made:
            name = postgres_server.create_database()
            migrate.upgrade(postgres_server.url(name), revision)
            fill(postgres_server, name)
            made[revision] = name
        return made[revision]

    yield of
    for name in made.values():
        postgres_server.drop_database(name)


@pytest.fixture
def copies(postgres_server: EmbeddedPostgres) -> Iterator[Callable[[str], str]]:
    made: list[str] = []

    def of(template: str) -> str:
        made.append(postgres_server.create_database(template=template))
        return made[-1]

    yield of
    for name in made:
        postgres_server.drop_database(name)
