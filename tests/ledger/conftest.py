"""Ledgers of every revision, filled once each, and copies of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from loan_reminders.commands import migrate
from tests.scenes.any_revision import fill
from tests.simulators.postgres import EmbeddedPostgres


@pytest.fixture(scope="module")
def filled(postgres_server: EmbeddedPostgres) -> Iterator[Callable[[str], str]]:
    """A database of a revision with rows in every table, to be copied; each is made once.

    They are made out of one empty ledger that goes up step by step, as long as they are asked for in their order.
    """
    made: dict[str, str] = {}
    empty = postgres_server.create_database()

    def of(revision: str) -> str:
        if revision not in made:
            in_order = revision > (migrate.current(postgres_server.url(empty)) or "")
            if in_order:
                migrate.upgrade(postgres_server.url(empty), revision)
            name = postgres_server.create_database(**({"template": empty} if in_order else {}))
            if not in_order:
                migrate.upgrade(postgres_server.url(name), revision)
            fill(postgres_server, name)
            made[revision] = name
        return made[revision]

    yield of
    for name in (empty, *made.values()):
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
