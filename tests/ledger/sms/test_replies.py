"""What readers answer, and is no STOP, waits for a person: whose it is, until when, in which library."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loan_reminders.commands import migrate
from loan_reminders.domain.desk import DeskAsked, DeskList
from loan_reminders.domain.runs.to_do import ToDoKind
from loan_reminders.ledger.repository import PostgresLedger
from loan_reminders.ledger.run_pages.to_do import PostgresToDo
from tests.scenes.known_readers import a_reader
from tests.scenes.ledger_runs import rows
from tests.scenes.ledger_sms import NUMBER, left, reply
from tests.simulators.postgres import EmbeddedPostgres

OTHERS = ("Arrêtez svp", "ne plus STOP", "ce n'est pas mon numéro", "rendu lundi", "Je suis absent jusqu'au 3 mars", "")


def came(ledger, *texts, number=NUMBER):
    replies = [reply(text, number, reply_id=f"{number} {place:03}") for place, text in enumerate(texts)]
    ledger.feedback().keep_replies(replies)
    ledger.feedback().settle(failures=2)


def listed(ledger, **asked):
    now = datetime.now(UTC)
    return ledger.desk().work(since=now, doubtful_before=now, asked=DeskAsked(only=DeskList.REPLIES, **asked)).replies


def to_do(ledger):
    now = datetime.now(UTC)
    items = ledger.part(PostgresToDo).items(
        now=now, starts={}, posted_before=now.date(), sent_since=now - timedelta(days=366), sms_floor=None
    )
    return [(item.number, item.many) for item in items if item.kind is ToDoKind.REPLIES]


def test_every_answer_but_a_stop_waits_word_for_word(ledger):
    came(ledger, *OTHERS, "STOP", "Bonjour, stop svp")
    assert [one.text for one in listed(ledger, oldest_first=True)] == list(OTHERS)
    assert [one.text for one in listed(ledger)] == list(reversed(OTHERS))
    assert [one.text for one in listed(ledger, offset=4)] == list(reversed(OTHERS[:2]))
    assert to_do(ledger) == [(len(OTHERS), False)]


def test_a_stop_without_a_number_stops_nobody_and_waits_too(ledger):
    came(ledger, "STOP", number="3" * 99)
    assert [(one.text, one.number, one.readers) for one in listed(ledger)] == [("STOP", "", ())]


def test_a_reply_that_was_pushed_and_asked_for_under_two_ids_waits_once(ledger):
    once = reply("rendu lundi", reply_id="mo-1")
    pulled = [replace(once, reply_id="32154"), replace(once, reply_id="32155", text="rendu mardi")]
    later = replace(once, reply_id="32156", received_at=once.received_at + timedelta(seconds=1))
    undated = [replace(once, reply_id=f"undated {place}", received_at=None) for place in range(2)]
    assert ledger.feedback().keep_replies([once]) == 1
    assert ledger.feedback().keep_replies(pulled) == 1
    assert ledger.feedback().keep_replies([later, *undated]) == 3
    assert sorted(one.text for one in listed(ledger)) == ["rendu lundi"] * 4 + ["rendu mardi"]


def test_it_waits_until_somebody_has_seen_to_it_once(ledger):
    came(ledger, "rendu lundi")
    [one] = listed(ledger)
    desk = ledger.desk()
    assert [desk.settle_reply(one.reply_number, who=who) for who in ("chloé", "bob")] == [True, False]
    assert not desk.settle_reply(10**12, who="chloé")
    assert (listed(ledger), to_do(ledger)) == ((), [])
    assert rows(ledger, "SELECT read_by, read_at IS NOT NULL FROM sms_replies") == [("chloé", True)]
    assert rows(ledger, "SELECT who, act, patron_id FROM journal") == [("chloé", "reply_settled", "")]
    came(ledger, "rendu lundi")  # the provider says it again
    assert listed(ledger) == ()


def test_the_readers_of_the_number_are_those_who_have_it_and_those_it_was_used_for(ledger):
    left(ledger, NUMBER)
    had = a_reader(ledger, f"P{NUMBER}", mobile="33639980009", name="Camille")
    has = a_reader(ledger, "P2", mobile=NUMBER, name="Zoé")
    a_reader(ledger, "P3", mobile="", name="Sans mobile")
    came(ledger, "rendu lundi")
    came(ledger, "et moi", number="33639980007")
    assert {one.text: set(one.readers) for one in listed(ledger)} == {
        "rendu lundi": {(had, "Camille"), (has, "Zoé")}, "et moi": set(),
    }  # fmt: skip
    for one in listed(ledger):
        ledger.desk().settle_reply(one.reply_number, who="chloé")
    assert rows(ledger, "SELECT DISTINCT patron_id FROM journal") == [("",)], "nobody knows which of them it was"


def test_the_journal_names_the_only_reader_of_the_number(ledger):
    left(ledger, NUMBER)
    a_reader(ledger, f"P{NUMBER}", mobile=NUMBER)
    came(ledger, "rendu lundi")
    [one] = listed(ledger)
    assert len(one.readers) == 1
    ledger.desk().settle_reply(one.reply_number, who="chloé")
    assert rows(ledger, "SELECT patron_id FROM journal") == [(f"P{NUMBER}",)]


def test_each_library_has_its_own(ledger):
    neighbour = PostgresLedger(ledger.engine, library="voisine")
    a_reader(neighbour, "V1", mobile=NUMBER, name="Lecteur voisin")
    came(ledger, "rendu lundi")
    [one] = listed(ledger)
    assert one.readers == ()
    assert (listed(neighbour), to_do(neighbour)) == ((), [])
    assert not neighbour.desk().settle_reply(one.reply_number, who="chloé")
    assert neighbour.desk().phone_of_reply(one.reply_number) == ""
    assert ledger.desk().phone_of_reply(one.reply_number) == NUMBER


def test_more_than_ninety_nine_are_not_counted(ledger):
    came(ledger, *("ok" for _ in range(101)))
    assert to_do(ledger) == [(99, True)]


@pytest.mark.parametrize(
    ("text", "days", "number", "waits"),
    [
        ("arrêtez", 29, NUMBER, True), ("arrêtez", 31, NUMBER, False), ("STOP", 1, NUMBER, False),
        ("Bonjour stop", 1, NUMBER, False), ("ne plus STOP", 1, NUMBER, True), ("STOP", 1, "", True),
    ],
)  # fmt: skip
def test_an_upgrade_brings_what_was_answered_in_the_last_thirty_days(
    postgres_server: EmbeddedPostgres, empty_database: str, text, days, number, waits
):
    url = postgres_server.url(empty_database)
    migrate.upgrade(url, "0027")
    postgres_server.execute(
        "INSERT INTO sms_replies (library, reply_id, phone_number, text, at, settled_at) VALUES"
        f" ('demo', '1', '{number}', '{text}', now() - interval '{days} days', now())",
        database=empty_database,
    )
    migrate.upgrade(url)
    found = postgres_server.execute("SELECT to_read FROM sms_replies", database=empty_database)
    assert found == [(waits,)]
