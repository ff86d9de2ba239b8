"""All that is held of a reader is given to him: every table is in the catalogue, every row that names him comes."""

from __future__ import annotations

import json

import pytest

from loan_reminders.ledger.json_codecs import encode_recipient
from loan_reminders.ledger.reader_rights.catalogue import OF_READERS, OURS, WITHOUT_READERS
from loan_reminders.ledger.reader_rights.everything import PostgresReaderData
from loan_reminders.ledger.retention.fingerprints import make_fingerprints
from loan_reminders.ledger.tables import metadata
from tests.scenes.ledger_runs import rows
from tests.scenes.planted import NUMBER, Planted, every_row, found, plant, strays

TWO = (Planted(number=1, disputed=True), Planted(number=2))


def test_every_table_of_the_ledger_is_in_the_catalogue_once():
    """A new table says whether readers are in it: whoever asks for all that is held of him must get it."""
    tables = {table.name for table in metadata.sorted_tables}
    assert tables == set(OF_READERS) | set(WITHOUT_READERS)
    assert not set(OF_READERS) & set(WITHOUT_READERS)
    with_readers = {table.name for table in metadata.sorted_tables if "patron_id" in table.columns}
    assert with_readers - set(OF_READERS) == set()


@pytest.fixture
def planted(ledger, tmp_path):
    plant(ledger, tmp_path, TWO)
    rows(
        ledger,
        "INSERT INTO sms_replies (library, reply_id, phone_number, text) VALUES (:library, 'r', :number, 'ZMOTS1Z')",
        library=ledger.library, number=NUMBER.format(1),
    )  # fmt: skip
    rows(
        ledger,
        "INSERT INTO corrections (library, patron_id, fault, contact) VALUES (:library, 'ZLECTEUR1Z', 'stop', :number)",
        library=ledger.library, number=NUMBER.format(1),
    )  # fmt: skip
    return ledger


def gathered(ledger, number):
    everything = ledger.part(PostgresReaderData).gather(f"ZLECTEUR{number}Z")
    assert everything is not None
    return everything


def test_every_row_that_names_the_reader_is_given_and_none_of_another(planted):
    everything = gathered(planted, 1)
    given = json.dumps({table: list(some) for table, some in everything.rows.items()}, ensure_ascii=False)
    assert found([("given", given)]) == {1: {"given"}}
    for table, row in every_row(planted):
        if 1 not in found([("", row)]):
            continue
        assert table in everything.rows, table
        theirs = {name: value for name, value in json.loads(row).items() if name not in OURS}
        assert theirs in [dict(one) for one in everything.rows[table]], (table, theirs)


def test_what_belongs_to_no_loan_is_given_too(ledger, tmp_path):
    plant(ledger, tmp_path, [Planted(number=3)])
    strays(ledger, tmp_path, 3)
    given = gathered(ledger, 3).rows
    for table in ("put_aside", "sms_replies", "sms_acks", "mail_bounces", "skips"):
        assert 3 in found((table, json.dumps(row)) for row in given[table]), table
    assert [row["raw"] for row in given["skips"] if row["raw"]] == [{"NAME": "Zoé ZNOM3Z"}]


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_a_stop_of_which_only_a_hash_is_kept_is_given_with_the_readers_own_number(ledger, tmp_path, channel):
    """He left, was removed, and comes back: nothing is sent to him, and what he gets says so."""
    plant(ledger, tmp_path, [Planted(number=1, suppressed=False), Planted(number=2, suppressed=False)])
    recipient = NUMBER.format(1) if channel == "sms" else "zmail1z@etu.example.org"
    with ledger.engine.begin() as connection:
        stop = make_fingerprints(connection, "demo").of_recipient(channel, recipient)
    rows(ledger, "UPDATE retention_state SET hides_contacts = true")
    rows(
        ledger,
        "INSERT INTO suppressions (library, channel, recipient, reason, source, since)"
        " VALUES (:library, :channel, :stop, :reason, 'provider', now())",
        library=ledger.library, channel=channel, stop=stop, reason="stop" if channel == "sms" else "hard_bounce",
    )  # fmt: skip
    [line] = gathered(ledger, 1).rows["suppressions"]
    assert (line["channel"], line["recipient"]) == (channel, recipient)
    assert gathered(ledger, 2).rows["suppressions"] == ()
    file = ledger.dispute().file("ZPRET1Z")
    assert [encode_recipient(one.recipient) for one in file.suppressions] == [recipient]
    assert ledger.dispute().file("ZPRET2Z").suppressions == ()


def test_no_agents_name_is_given_and_words_are_as_they_were(planted):
    everything = gathered(planted, 1)
    assert "who" not in everything.rows["holds"][0]
    assert {"Rendre ZTITRE1Z"} == {row["body"] for row in everything.rows["sent_words"]}
    assert '"zoé"' not in json.dumps({table: list(some) for table, some in everything.rows.items()}, ensure_ascii=False)
    assert everything.patron is not None
    assert len(everything.loans) == 1
    assert len(everything.loans[0].deliveries) == 4


def test_a_reader_nobody_knows_gets_nothing_and_libraries_are_apart(planted, ledger_url):
    from loan_reminders.ledger.connect import connect

    assert planted.part(PostgresReaderData).gather("ZLECTEUR9Z") is None
    with connect(ledger_url, library="autre") as other:
        assert other.part(PostgresReaderData).gather("ZLECTEUR1Z") is None


def test_who_was_given_it_is_in_the_journal(planted):
    planted.part(PostgresReaderData).note_given("ZLECTEUR1Z", who="chloé", form="pdf")
    assert rows(planted, "SELECT who, patron_id, facts FROM journal WHERE act = 'reader_data_given'") == [
        ("chloé", "ZLECTEUR1Z", {"form": "pdf"})
    ]
