"""Who did what: kept with what was done, never changed, and read page by page by person, act, reader and day."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

import pytest
from sqlalchemy.exc import DBAPIError

from loan_reminders.commands import migrate
from loan_reminders.domain.journal import JournalAct, JournalAsked
from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.ledger.journal import PostgresFormKeys, PostgresJournal, keep
from loan_reminders.ledger.journal_pages import LINES, PostgresJournalPages
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import a_mobile
from tests.scenes.disputed_loan import a_whole_story
from tests.scenes.known_readers import a_reader
from tests.scenes.ledger_emails import came_back_in_a_mass
from tests.scenes.ledger_letters import closed
from tests.scenes.ledger_runs import answer, ids, opened, planned, rows, some_deliveries
from tests.simulators.postgres import EmbeddedPostgres

A = JournalAct
ACTS = "SELECT act, who, patron_id, detail, facts FROM journal ORDER BY entry_id"


def acts(ledger: PostgresLedger) -> list[tuple[str, str, str, str]]:
    return [tuple(row)[:4] for row in rows(ledger, ACTS)]


def page(ledger: PostgresLedger, **asked: object):
    return ledger.part(PostgresJournalPages).page(JournalAsked(**asked), zone=UTC)


def shown(ledger: PostgresLedger, **asked: object) -> list[str]:
    return [line.entry.detail for line in page(ledger, **asked).lines]


def noted(ledger: PostgresLedger, count: int, *, who: str = "zoé", act: JournalAct = A.READER_SEEN, patron: str = ""):
    journal = ledger.part(PostgresJournal)
    for number in range(count):
        journal.keep(who=who, act=act, patron_id=patron, detail=f"{who} {number}")


@pytest.mark.parametrize("change", ["UPDATE journal SET who = 'moi'", "DELETE FROM journal", "TRUNCATE journal"])
def test_no_line_is_changed_or_removed(ledger: PostgresLedger, change: str) -> None:
    noted(ledger, 1)
    with pytest.raises(DBAPIError, match="append-only"):
        rows(ledger, change)
    assert len(acts(ledger)) == 1


def test_what_is_not_done_is_not_in_it(ledger: PostgresLedger) -> None:
    with ledger.engine.connect() as connection:
        keep(connection, ledger.library, who="zoé", act=A.HELD, patron_id="P1")
        connection.rollback()
    assert acts(ledger) == []


def test_the_line_of_a_delivery_gets_its_reader(ledger: PostgresLedger) -> None:
    [delivery] = some_deliveries(1)
    planned(ledger, [delivery])
    with ledger.engine.begin() as connection:
        keep(connection, ledger.library, who="zoé", act=A.LETTER_COPIED, delivery_id=delivery.delivery_id)
        keep(connection, ledger.library, who="zoé", act=A.LETTER_COPIED, delivery_id=uuid.uuid4())
    assert [patron for _, _, patron, _ in acts(ledger)] == ["PL0", ""]


class TestActs:
    """Each act of a person writes its line with it, and one that changes nothing writes none."""

    def test_numbers_put_on_the_list_and_taken_off(self, ledger: PostgresLedger) -> None:
        a_reader(ledger, mobile="33639980001")
        feedback = ledger.feedback()
        for _ in range(2):
            feedback.suppress(a_mobile("33639980001"), who="zoé", detail="au guichet")
        [line] = feedback.suppressions()
        assert feedback.lift(line.suppression_id, who="ana", why="erreur de saisie")
        assert not feedback.lift(line.suppression_id, who="ana", why="encore")
        assert acts(ledger) == [
            ("suppressed", "zoé", "P1", "au guichet"),
            ("suppression_lifted", "ana", "P1", "erreur de saisie"),
        ]
        assert [one.lifted_because for one in feedback.suppressions()] == ["erreur de saisie"]

    def test_a_number_that_two_readers_share_names_neither(self, ledger: PostgresLedger) -> None:
        a_reader(ledger, "P1", mobile="33639980001")
        a_reader(ledger, "P2", mobile="33639980001")
        ledger.feedback().suppress(a_mobile("33639980001"), who="zoé")
        assert acts(ledger) == [("suppressed", "zoé", "", "")]

    def test_what_the_desk_settles(self, ledger: PostgresLedger) -> None:
        [delivery] = some_deliveries(1)
        run = planned(ledger, [delivery])
        with ledger.sender(run.run_id, Channel.EMAIL) as sender:
            sender.claim(ids([delivery]))
            sender.record([answer(delivery, DeliveryState.REFUSED, Reason.RECIPIENT_REFUSED)])
        for _ in range(2):
            ledger.desk().settle(delivery.delivery_id, who="zoé")
        assert acts(ledger) == [("delivery_settled", "zoé", "PL0", "")]

    def test_a_letter_that_came_back(self, ledger: PostgresLedger) -> None:
        _, batch_id, _ = closed(ledger, channel=Channel.LETTER)
        ledger.letters().mark_printed(batch_id, who="zoé")
        before = len(acts(ledger))
        for _ in range(2):
            ledger.desk().note_return("REF-PL1", since=datetime.now(UTC), who="ana")
        assert acts(ledger)[before:] == [("letter_returned", "ana", "PL1", "")]

    def test_bounces_that_came_in_a_mass(self, ledger: PostgresLedger) -> None:
        came_back_in_a_mass(ledger)
        for dead in (False, True):
            ledger.mail_feedback().decide("Univ.example", dead=dead, who="zoé", failures=5)
        assert acts(ledger) == [("bounces_not_believed", "zoé", "", "univ.example")]

    def test_answers_about_a_volume_and_none_of_the_program(self, ledger: PostgresLedger) -> None:
        run = opened(ledger)
        for said, who in (
            (VolumeAnswer.ASKED, ""), (VolumeAnswer.APPROVED, "zoé"), (VolumeAnswer.REFUSED, ""),
            (VolumeAnswer.REFUSED, "ana"),
        ):  # fmt: skip
            ledger.record_volume_answer(run.run_id, said, who=who)
        assert [line[:2] for line in acts(ledger)] == [("volume_approved", "zoé"), ("volume_refused", "ana")]
        assert rows(ledger, ACTS)[0].facts == {"stage": "overdue_notice", "day": "2026-11-27"}

    def test_the_file_of_a_loan(self, ledger: PostgresLedger) -> None:
        a_whole_story(ledger)
        disputes = ledger.dispute()
        found = disputes.file("L1")
        assert found is not None
        disputes.note_made(found, who="zoé")
        assert acts(ledger)[-1] == ("dispute_file_made", "zoé", "P1", "")


class TestPages:
    """What the page reads."""

    def test_an_empty_journal(self, ledger: PostgresLedger) -> None:
        found = page(ledger)
        assert (found.lines, found.newer, found.older) == ((), False, False)
        assert ledger.part(PostgresJournalPages).persons() == ()

    @pytest.mark.parametrize("asked", [{"person": 99}, {"reader": 99}, {"before": 99}, {"after": 99}])
    def test_what_nobody_knows_is_nowhere(self, ledger: PostgresLedger, asked: dict[str, int]) -> None:
        noted(ledger, 1)
        assert shown(ledger, **asked) == []

    def test_another_library_is_not_seen(self, ledger: PostgresLedger) -> None:
        with ledger.engine.begin() as connection:
            keep(connection, "ailleurs", who="léo", act=A.HELD)
        assert shown(ledger) == []
        assert ledger.part(PostgresJournalPages).persons() == ()

    def test_pages_follow_each_other_both_ways(self, ledger: PostgresLedger) -> None:
        noted(ledger, 2 * LINES + 3)
        first = page(ledger)
        assert (len(first.lines), first.newer, first.older) == (LINES, False, True)
        second = page(ledger, before=first.lines[-1].entry_id)
        third = page(ledger, before=second.lines[-1].entry_id)
        assert (len(second.lines), second.newer, second.older) == (LINES, True, True)
        assert (len(third.lines), third.newer, third.older) == (3, True, False)
        everything = [line.entry.detail for found in (first, second, third) for line in found.lines]
        assert everything == [f"zoé {number}" for number in reversed(range(2 * LINES + 3))]
        back = page(ledger, after=third.lines[0].entry_id)
        assert (back.lines, back.newer) == (second.lines, True)
        assert page(ledger, after=second.lines[0].entry_id).newer is False

    def test_by_person_act_reader_and_day(self, ledger: PostgresLedger) -> None:
        number = a_reader(ledger)
        noted(ledger, 2)
        noted(ledger, 1, who="ana", act=A.HELD, patron="P1")
        persons = {one.name: one.number for one in ledger.part(PostgresJournalPages).persons()}
        assert list(persons) == ["ana", "zoé"]
        assert shown(ledger, person=persons["ana"]) == ["ana 0"]
        assert shown(ledger, person=persons["zoé"]) == ["zoé 1", "zoé 0"]
        assert shown(ledger, act=A.HELD) == ["ana 0"]
        assert shown(ledger, act=A.HELD, person=persons["zoé"]) == []
        assert shown(ledger, reader=number) == ["ana 0"]
        assert shown(ledger, day=date(2020, 1, 1)) == []
        assert len(shown(ledger, day=datetime.now(UTC).date())) == 3
        [line] = page(ledger, reader=number).lines
        assert (line.reader_number, line.reader_name, line.reader_card) == (number, "Camille Martin", "2100000000017")


class TestFormKeys:
    """A form is acted upon once."""

    def test_a_key_is_taken_once_and_leads_to_where_it_led(self, ledger: PostgresLedger) -> None:
        keys, key = ledger.part(PostgresFormKeys), uuid.uuid4()
        assert keys.take(key, who="zoé", what="POST/x").first
        again = keys.take(key, who="zoé", what="POST/x")
        assert (again.first, again.led_to) == (False, "")
        keys.done(key, led_to="/x?fait=1")
        assert keys.take(key, who="zoé", what="POST/x").led_to == "/x?fait=1"
        assert keys.take(key, who="ana", what="POST/x").led_to == ""
        assert keys.take(key, who="zoé", what="POST/y").led_to == ""

    def test_one_that_led_nowhere_may_be_sent_again(self, ledger: PostgresLedger) -> None:
        keys, key = ledger.part(PostgresFormKeys), uuid.uuid4()
        keys.take(key, who="zoé", what="POST/x")
        keys.done(key, led_to="")
        assert keys.take(key, who="zoé", what="POST/x").first

    def test_keys_of_yesterday_are_forgotten(self, ledger: PostgresLedger) -> None:
        keys = ledger.part(PostgresFormKeys)
        keys.take(uuid.uuid4(), who="zoé", what="POST/x")
        rows(ledger, "UPDATE form_keys SET at = now() - interval '25 hours'")
        keys.take(uuid.uuid4(), who="zoé", what="POST/x")
        assert rows(ledger, "SELECT count(*) FROM form_keys") == [(1,)]


def test_the_journal_begins_with_what_other_tables_know(postgres_server: EmbeddedPostgres, empty_database: str) -> None:
    url = postgres_server.url(empty_database)
    migrate.upgrade(url, "0007")
    notice, delivery = uuid.uuid4(), uuid.uuid4()
    for statement in (
        "INSERT INTO runs (library, stage, reference_date, due_date, today, dag_run_id, attempt, dry_run)"
        " VALUES ('demo', 'overdue_notice', '2026-11-27', '2026-11-26', '2026-11-27', 'r', 1, false)",
        "INSERT INTO notices (notice_id, library, run_id, stage, patron_id, due_date, language, loan_ids)"
        f" VALUES ('{notice}', 'demo', 1, 'overdue_notice', 'P1', '2026-11-26', 'fr', '{{L1}}')",
        "INSERT INTO deliveries (delivery_id, library, run_id, notice_id, stage, channel, slot, recipient)"
        f" VALUES ('{delivery}', 'demo', 1, '{notice}', 'overdue_notice', 'email', 'written', 'a@example.fr')",
        "INSERT INTO letter_batches (library, run_id, name, pdf, csv, letters, pages, sha256)"
        " VALUES ('demo', 1, 'lot', '', '', 1, 1, '')",
        "INSERT INTO letter_events (library, batch_id, delivery_id, who, act, at, after) VALUES"
        " ('demo', 1, NULL, 'zoé', 'printed', '2026-11-02', NULL),"
        f" ('demo', 1, '{delivery}', 'zoé', 'numbered', '2026-11-03', '{{\"tracking_number\": \"1A1\"}}'),"
        f" ('demo', 1, '{delivery}', 'relances', 'left_out', '2026-11-04', NULL)",
        "INSERT INTO suppressions (library, channel, recipient, reason, source, since, at, detail, lifted_at,"
        " lifted_by) VALUES"
        " ('demo', 'sms', '33611111111', 'by_librarian', 'librarian', now(), '2026-11-01', 'ana : parti : loin', NULL,"
        " ''),"
        " ('demo', 'sms', '33622222222', 'stop', 'reply', now(), now(), '', '2026-11-05', 'zoé'),"
        " ('demo', 'sms', '33633333333', 'stop', 'reply', now(), now(), '', '2026-11-05', 'échéance')",
        f"INSERT INTO desk_settlements VALUES ('{delivery}', 'demo', '2026-11-06', 'léo')",
        "INSERT INTO volume_answers (library, run_id, at, answer, who) VALUES"
        " ('demo', 1, '2026-11-07', 'asked', ''), ('demo', 1, '2026-11-08', 'refused', 'léo')",
        "INSERT INTO mail_bounces (library, fingerprint, kind, recipient, decided_by, settled_at) VALUES"
        " ('demo', 'a', 'hard', 'x@Univ.example', 'léo', '2026-11-09 10:00'),"
        " ('demo', 'b', 'hard', 'y@univ.example', 'léo', '2026-11-09 10:00'),"
        " ('demo', 'c', 'hard', 'z@univ.example', 'autre retour', '2026-11-09 10:00')",
    ):
        postgres_server.execute(statement, database=empty_database)
    migrate.upgrade(url, "0008")
    found = postgres_server.execute(
        "SELECT to_char(at, 'DD'), who, act, patron_id, detail FROM journal ORDER BY entry_id", database=empty_database
    )
    assert [tuple(row) for row in found] == [
        ("01", "ana", "suppressed", "", "parti : loin"),
        ("02", "zoé", "batch_printed", "", ""),
        ("03", "zoé", "letter_numbered", "P1", ""),
        ("05", "zoé", "suppression_lifted", "", ""),
        ("06", "léo", "delivery_settled", "P1", ""),
        ("08", "léo", "volume_refused", "", ""),
        ("09", "léo", "bounces_believed", "", "univ.example"),
    ]
