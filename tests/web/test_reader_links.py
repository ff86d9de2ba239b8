"""Wherever a reader is named, the name leads to the reader's page: by its neutral number, never by the ILS's own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

from loan_reminders.domain.notices import Skip
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import SkipReason
from tests.scenes.ledger_letters import drafted
from tests.scenes.ledger_registered import in_a_batch, some_letters
from tests.scenes.ledger_runs import extracted, rows, some_deliveries
from tests.web.client import browsing

pytestmark = pytest.mark.usefixtures("installed")


def lost(ledger, count):
    """A run whose messages were refused, and which found no way to as many other readers."""
    silent = some_letters(count, prefix="S")
    gone = some_deliveries(count, prefix="G")
    skips = [
        Skip(
            loan_id=one.loans[0].loan_id, due_date=one.notice.due_date, patron_id=one.notice.patron.patron_id,
            reason=SkipReason.NO_RECIPIENT, detail="email:missing",
        )
        for one in silent
    ]  # fmt: skip
    run = extracted(ledger, [one.loans[0] for one in (*gone, *silent)])
    with ledger.planning(run.run_id) as planning:
        planning.record(gone, skips)
    rows(ledger, "UPDATE deliveries SET state = 'refused', reason = 'recipient_refused'")
    return run.run_id


def a_run(ledger, count):
    return f"/tournees/{lost(ledger, count)}", "GS"


def the_desk(ledger, count):
    lost(ledger, count)
    return "/bureau", "GS"


def a_batch(ledger, count):
    return f"/lots/{in_a_batch(ledger, count, channel=Channel.LETTER)[0]}", "L"


def a_question(ledger, count):
    return f"/questions/{drafted(ledger, count)[0]}/lettres", "L"


def registered_letters(ledger, count):
    in_a_batch(ledger, count)
    return "/recommandes?etat=printed", "L"


def a_registered_letter(ledger, count):
    return f"/recommandes/{in_a_batch(ledger, count)[1][0].delivery_id}", "L"


@contextmanager
def counted(statements: list[str]) -> Iterator[None]:
    """Every statement that the pages send to the ledger, within the block."""

    def heard(_connection, _cursor, statement, *_more):
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", heard)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", heard)


def numbers(page):
    return set(map(int, re.findall(r'href="/lecteurs/(\d+)"', page)))


@pytest.mark.parametrize(
    "page",
    [a_run, the_desk, a_batch, a_question, registered_letters, a_registered_letter],
    ids=lambda one: one.__name__,
)
def test_a_name_leads_to_its_reader_without_a_statement_more_for_each(ledger, page):
    path, prefixes = page(ledger, 3)
    known = rows(ledger, "SELECT reader_number, patron_id FROM readers ORDER BY patron_id")
    expected = {number for number, patron in known if patron[1] in prefixes}
    if page is a_registered_letter:
        expected = {known[0][0]}
    asked: list[str] = []
    with browsing() as client, counted(asked):
        shown = client.get(path).text
    assert (numbers(shown), len(expected) > 0) == (expected, True)
    about_readers = Counter(one for one in asked if "FROM readers" in one)
    assert max(about_readers.values()) < 3


def test_there_is_no_way_to_a_reader_who_was_erased_or_for_whoever_may_not_see_readers(ledger):
    path, _ = a_run(ledger, 1)
    with browsing("lecteur") as client:
        assert numbers(client.get(path).text) == set()
    rows(ledger, "DELETE FROM readers")
    with browsing() as client:
        page = client.get(path).text
    assert (numbers(page), "Lecteur S0" in page) == (set(), True)
