"""After the removal nothing of an expired reader is in the ledger or the files, and all of the others is."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from loan_reminders.domain.stages import Channel
from loan_reminders.gateways.letters.letter_store import FolderLetterStore
from loan_reminders.ledger.connect import connect
from tests.sample_sizes import sample
from tests.scenes.ledger_runs import rows
from tests.scenes.planted import (
    CHANNELS,
    OLD,
    TERMS,
    YOUNG,
    Planted,
    every_row,
    files_below,
    found,
    plant,
    remove,
    strays,
)

DAYS = (OLD, TERMS.loans_until, TERMS.loans_until + timedelta(days=1), YOUNG, None)
READERS = st.lists(
    st.builds(
        dict,
        channels=st.sets(st.sampled_from(CHANNELS)).map(lambda some: tuple(sorted(some))),
        ended_on=st.sampled_from(DAYS),
        seen_on=st.sampled_from((OLD, TERMS.readers_until, YOUNG)),
        disputed=st.sampled_from((False, False, True)),
        suppressed=st.booleans(),
    ),
    min_size=1,
    max_size=6,
)
COUNTERS = ("message_counters", "return_counters", "overdue_counters", "runs")
ALL_GO = [{"channels": CHANNELS}, {"channels": CHANNELS}]
SOME_STAY = [
    {"channels": CHANNELS},
    {"channels": CHANNELS, "disputed": True},
    {"channels": (Channel.EMAIL,), "ended_on": None},
]


@pytest.fixture(scope="module")
def ledgers(postgres_server, ledger_template):
    def new():
        name = postgres_server.create_database(template=ledger_template)
        return name, connect(postgres_server.url(name), library="demo")

    return new


@settings(max_examples=sample(6, full=300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(described=READERS)
@example(described=ALL_GO)
@example(described=SOME_STAY)
def test_nothing_of_an_expired_reader_is_left_and_everything_of_the_others_is(
    ledgers, postgres_server, tmp_path_factory, described
):
    readers = [Planted(number=number, **one) for number, one in enumerate(described, start=1)]
    store: Path = tmp_path_factory.mktemp("letters")
    name, ledger = ledgers()
    try:
        plant(ledger, store, readers)
        before = every_row(ledger)
        assert set(found(before)) == {one.number for one in readers}
        counted = [row for row in before if row[0] in COUNTERS]
        removed = remove(ledger, store)
        after = every_row(ledger)
        assert [row for row in after if row[0] in COUNTERS] == counted
        _gone(readers, found(after), found(files_below(store)))
        _untouched(readers, before, after)
        assert removed.readers == sum(one.goes for one in readers)
        assert remove(ledger, store).counts() == dict.fromkeys(removed.counts(), 0)
        # A second passage reads the line of the first one, and finds nothing in it to forget.
        assert [row for row in every_row(ledger) if row[0] != "retention_state"] == [
            row for row in after if row[0] != "retention_state"
        ]
    finally:
        ledger.close()
        postgres_server.drop_database(name)
        shutil.rmtree(store)


def test_the_files_of_a_draft_that_no_task_came_to_remove_go_in_the_night(ledger, tmp_path):
    """Its run was marked as failed, or the store did not answer; the loans are far from their own time."""
    plant(ledger, tmp_path, [Planted(number=1, ended_on=YOUNG, seen_on=YOUNG)])
    run = rows(ledger, "SELECT run_id, stage, reference_date FROM runs WHERE stage = 'registered_letter'")[0]
    folder = f"{run.stage}-{run.reference_date}-{run.run_id}-7"
    names = {state: f"a-valider/{folder}{number}" for number, state in enumerate(("draft", "abandoned"))}
    for state, name in names.items():
        rows(ledger, "INSERT INTO letter_batches"
                     " (library, run_id, name, kind, state, at, pdf, csv, letters, pages, sha256)"
                     " VALUES ('demo', :run, :name, 'registered_letter', :state, :at, '', '', 1, 1, '')",
             run=run.run_id, name=name, state=state, at=YOUNG)  # fmt: skip
        FolderLetterStore(tmp_path).store(name, [("lettres.pdf", b"Camille Martin")])
    assert remove(ledger, tmp_path).folders == 1
    assert [name for name in names.values() if (tmp_path / name).exists()] == [names["draft"]]


def _gone(readers, in_rows, in_files):
    """A batch of letters goes with the last of its letters: whoever shares one is in its file until then."""
    for one in (reader for reader in readers if reader.goes):
        assert one.number not in in_rows, (one, in_rows[one.number])
    for channel in (Channel.LETTER, Channel.REGISTERED_LETTER):
        sharing = [reader for reader in readers if channel in reader.channels]
        kept = [r for r in sharing if r.disputed or r.ended_on is None or r.ended_on > TERMS.loans_until]
        for one in sharing:
            stage = "first_reminder" if channel is Channel.LETTER else "registered_letter"
            places = {place for place in in_files.get(one.number, ()) if place.startswith(stage)}
            assert bool(places) is bool(kept)


def _untouched(readers, before, after):
    """Every row about a reader whose loan stays is as it was."""
    for one in readers:
        if one.ended_on is not None and one.ended_on <= TERMS.loans_until and not one.disputed:
            continue
        kept = [row for row in after if one.number in found([row])]
        ours = [row for row in before if one.number in found([row])]
        # A hold that was lifted long ago has a term of its own, which a dispute puts off.
        assert kept == [row for row in ours if one.disputed or row[0] != "holds"]


def test_what_is_no_loans_goes_by_its_age(ledger, tmp_path):
    strays(ledger, tmp_path, 99)
    places = found([*every_row(ledger), *files_below(tmp_path)])[99]
    assert {"skips", "loans_seen", "deliveries", "notices", "put_aside", "sms_replies", "sms_acks", "mail_bounces",
            "journal"} <= places  # fmt: skip
    assert remove(ledger, tmp_path, rehearse=True).folders == 2
    remove(ledger, tmp_path)
    assert found([*every_row(ledger), *files_below(tmp_path)]) == {}


def test_a_dry_run_changes_nothing_and_counts_what_would_go(ledger, tmp_path):
    plant(ledger, tmp_path, [Planted(number=1), Planted(number=2, ended_on=YOUNG, seen_on=YOUNG)])
    before = every_row(ledger), files_below(tmp_path)
    would = remove(ledger, tmp_path, rehearse=True)
    assert (every_row(ledger), files_below(tmp_path)) == before
    done = remove(ledger, tmp_path)
    assert (would.loans, would.messages) == (done.loans, done.messages) == (1, 4)
