"""Contacts that fail: which become a line, when a line ends, and when one that was settled is open again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from loan_reminders.commands import migrate
from loan_reminders.domain.letters.batches import ReturnReason
from loan_reminders.domain.readers.corrections import ContactFault, CorrectionOrder, CorrectionOutcome
from loan_reminders.domain.stages import Channel, Slot, Stage
from loan_reminders.domain.states import Refusal, SkipReason
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.readers.corrections import PostgresCorrections
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import a_patron, an_address, an_email
from tests.scenes.failing_contacts import NOTHING, lines, skipped
from tests.scenes.known_readers import a_reader
from tests.scenes.ledger_emails import a_bounce, came_back, mailed
from tests.scenes.ledger_letters import closed
from tests.scenes.ledger_registered import ONE, in_a_batch, note_return, number, post, ref, take
from tests.scenes.ledger_runs import rows
from tests.scenes.ledger_sms import reply
from tests.simulators.postgres import EmbeddedPostgres

F, R, Outcome = ContactFault, Refusal, CorrectionOutcome


def faults(ledger: PostgresLedger) -> list[tuple[str, str, int]]:
    return [(line.fault.value, line.contact, line.notices) for line in lines(ledger)]


def settle(ledger: PostgresLedger, outcome: CorrectionOutcome = CorrectionOutcome.CORRECTED, because: str = "") -> bool:
    [line] = lines(ledger)
    return ledger.part(PostgresCorrections).settle(line.correction_id, outcome, who="zoé", because=because)


@pytest.mark.parametrize(
    ("contacts", "reason", "detail", "found"),
    [
        (NOTHING, SkipReason.NO_RECIPIENT, "email:missing,letter:missing", [("no_contact", "missing", 1)]),
        (NOTHING, SkipReason.NO_RECIPIENT, "email:missing", [("no_contact", "missing", 1)]),
        (
            {"email": R.MISSING, "address": R.NO_POSTCODE}, SkipReason.INVALID_RECIPIENT,
            "email:missing,letter:no_postcode", [("unusable_address", "no_postcode", 1)],
        ),
        (
            {"email": R.MISSING, "address": R.MISSING}, SkipReason.NO_RECIPIENT, "email:missing,letter:missing",
            [("unusable_address", "missing", 1)],
        ),
        (
            {"email": R.NOT_AN_ADDRESS}, SkipReason.INVALID_RECIPIENT, "email:not_an_address",
            [("unusable_email", "not_an_address", 1)],
        ),
        ({"email": R.MISSING}, SkipReason.NO_RECIPIENT, "email:missing", []),
        ({}, SkipReason.NOT_ELIGIBLE, "", []),
        ({}, None, "", []),
    ],
)  # fmt: skip
def test_what_a_run_finds_wrong_is_a_line(ledger: PostgresLedger, contacts, reason, detail, found) -> None:
    skipped(ledger, a_patron(**contacts), reason, detail)
    assert faults(ledger) == found


def test_a_trial_run_finds_nothing_wrong(ledger: PostgresLedger) -> None:
    skipped(ledger, a_patron(**NOTHING), SkipReason.NO_RECIPIENT, "email:missing", dry_run=True)
    assert faults(ledger) == []


def test_each_notice_that_fails_counts_once(ledger: PostgresLedger) -> None:
    reader = a_patron(**NOTHING)
    for day in (0, 1):
        skipped(ledger, reader, SkipReason.NO_RECIPIENT, "email:missing", day=day)
    skipped(ledger, reader, SkipReason.NO_RECIPIENT, "email:missing", day=1, stage=Stage.SECOND_REMINDER)
    assert faults(ledger) == [("no_contact", "missing", 3)]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_settled_line_is_open_again_when_the_contact_fails_again(ledger: PostgresLedger, outcome) -> None:
    reader = a_patron(**NOTHING)
    skipped(ledger, reader, SkipReason.NO_RECIPIENT, "email:missing")
    assert settle(ledger, outcome, "écrit au lecteur")
    assert lines(ledger) == []
    skipped(ledger, reader, SkipReason.NO_RECIPIENT, "email:missing", day=1)
    [line] = lines(ledger)
    assert (line.notices, line.settled_by, line.outcome, line.because) == (2, "zoé", outcome, "écrit au lecteur")


def test_a_line_ends_when_the_contact_changes_and_begins_anew_when_the_next_fails(ledger: PostgresLedger) -> None:
    skipped(ledger, a_patron(**NOTHING), SkipReason.NO_RECIPIENT, "email:missing")
    skipped(ledger, a_patron(email=an_email()), None, day=1)
    assert lines(ledger) == []
    skipped(ledger, a_patron(**NOTHING), SkipReason.NO_RECIPIENT, "email:missing", day=2)
    [line] = lines(ledger)
    assert (line.outcome, line.settled_at) == (None, None)


def test_a_line_is_settled_once_and_recorded(ledger: PostgresLedger) -> None:
    skipped(ledger, a_patron(**NOTHING), SkipReason.NO_RECIPIENT, "email:missing")
    [line] = lines(ledger)
    books = ledger.part(PostgresCorrections)
    assert books.settle(line.correction_id, Outcome.IGNORED, who="zoé", because="parti")
    assert not books.settle(line.correction_id, Outcome.CORRECTED, who="ana")
    assert not books.settle(line.correction_id + 1, Outcome.CORRECTED, who="ana")
    assert rows(ledger, "SELECT act, who, patron_id, detail FROM journal") == [
        ("contact_ignored", "zoé", "P1", "parti")
    ]


def test_a_stop_is_a_line_of_every_reader_with_the_number_until_it_is_lifted(ledger: PostgresLedger) -> None:
    a_reader(ledger, "P1")
    a_reader(ledger, "P2")
    a_reader(ledger, "P3", mobile="33611111111")
    feedback = ledger.feedback()
    feedback.keep_replies([reply("STOP")])
    feedback.settle(failures=2)
    assert sorted(line.patron_id for line in lines(ledger)) == ["P1", "P2"]
    [entry] = feedback.suppressions()
    assert {line.suppression_id for line in lines(ledger)} == {entry.suppression_id}
    feedback.lift(entry.suppression_id, who="zoé", why="erreur")
    assert lines(ledger) == []


def test_a_reader_who_is_not_told_for_his_stop_has_not_failed_again(ledger: PostgresLedger) -> None:
    a_reader(ledger, "P1")
    ledger.feedback().keep_replies([reply("STOP")])
    ledger.feedback().settle(failures=2)
    assert settle(ledger, Outcome.IGNORED, "c'est son choix")
    skipped(ledger, a_patron(), SkipReason.OPTED_OUT, "sms:suppressed", slot=Slot.SMS)
    assert lines(ledger) == []
    assert rows(ledger, "SELECT notices FROM corrections") == [(1,)]


def test_a_number_put_on_the_list_by_hand_is_nothing_to_correct(ledger: PostgresLedger) -> None:
    a_reader(ledger, "P1")
    patron = a_patron()
    ledger.feedback().suppress(patron.mobile, who="zoé")
    assert lines(ledger) == []


def test_a_bounced_address_until_the_ils_has_another(ledger: PostgresLedger) -> None:
    a_reader(ledger, "P1", branch="BULET")
    came_back(ledger, a_bounce(mailed(ledger)))
    [line] = lines(ledger)
    # The branch is that of the loan which was seen last.
    assert (line.fault, line.contact, line.notices, line.branch) == (
        F.BOUNCED_EMAIL, "camille.martin@etu.example.fr", 1, "SJA",
    )  # fmt: skip
    skipped(ledger, a_patron(), SkipReason.DEAD_ADDRESS, "email:suppressed", day=3)
    assert [line.notices for line in lines(ledger)] == [2]
    skipped(ledger, a_patron(email=an_email("autre@example.fr")), None, day=4)
    assert lines(ledger) == []


def test_a_returned_letter_until_the_ils_has_another_address(ledger: PostgresLedger) -> None:
    _, batch_id, (delivery, *_) = closed(ledger, channel=Channel.LETTER)
    ledger.letters().mark_printed(batch_id, who="zoé")
    ledger.desk().note_return("REF-PL0", since=datetime.now(UTC), who="zoé")
    [line] = lines(ledger)
    assert (line.patron_id, line.fault, line.suppression_id is not None) == ("PL0", F.RETURNED_LETTER, True)
    skipped(ledger, delivery.notice.patron, None, day=1)
    assert len(lines(ledger)) == 1
    moved = a_patron(patron_id="PL0", address=an_address("MME CAMILLE MARTIN", "1 RUE NEUVE", "06000 NICE"))
    skipped(ledger, moved, None, day=2)
    assert lines(ledger) == []


@pytest.mark.parametrize("channel", [Channel.LETTER, Channel.REGISTERED_LETTER])
def test_a_letter_that_came_back_is_a_notice_that_failed(ledger: PostgresLedger, channel) -> None:
    if channel is Channel.LETTER:
        _, batch_id, (delivery, *_) = closed(ledger, channel=channel)
        ledger.letters().mark_printed(batch_id, who="zoé")
        ledger.desk().note_return("REF-PL0", since=datetime.now(UTC), who="zoé")
    else:
        _, (delivery, *_) = in_a_batch(ledger)
        take(ledger, ref(0), number(ONE), post(), note_return())
    [line] = lines(ledger)
    assert (line.fault, line.patron_id, line.notices) == (F.RETURNED_LETTER, "PL0", 1)
    skipped(ledger, delivery.notice.patron, None, day=1)
    [line] = lines(ledger)
    assert line.notices == 1, "the next run counts it again, not once more"


def test_a_registered_letter_that_nobody_fetched_is_no_fault_of_its_address(ledger: PostgresLedger) -> None:
    in_a_batch(ledger, prefix="R")
    take(ledger, ref(0, "R"), number(ONE), post(), note_return(reason=ReturnReason.UNCLAIMED))
    assert lines(ledger) == []


def test_the_list_is_ordered_filtered_and_counted(ledger: PostgresLedger) -> None:
    for patron_id, name, branch, days in (("P1", "Zora", "SJA", 1), ("P2", "Anne", "BULET", 2)):
        a_reader(ledger, patron_id, name=name)
        for day in range(days):
            skipped(
                ledger,
                a_patron(patron_id=patron_id, name=name, **NOTHING),
                SkipReason.NO_RECIPIENT,
                "email:missing",
                day=day,
            )
        rows(ledger, "UPDATE corrections SET branch = :branch WHERE patron_id = :id", branch=branch, id=patron_id)
    assert [line.reader_name for line in lines(ledger)] == ["Anne", "Zora"]
    by_name = lines(ledger, order=CorrectionOrder.READER, descending=True)
    assert [line.reader_name for line in by_name] == ["Zora", "Anne"]
    for order in CorrectionOrder:
        assert len(lines(ledger, order=order, descending=False)) == 2
    assert [line.patron_id for line in lines(ledger, branch="SJA")] == ["P1"]
    assert lines(ledger, fault=F.STOP) == []
    assert [line.patron_id for line in lines(ledger, limit=1, offset=1)] == ["P1"]
    counts = ledger.part(PostgresCorrections).counts()
    assert counts == {(F.NO_CONTACT, "SJA"): 1, (F.NO_CONTACT, "BULET"): 1}


def test_the_list_begins_with_what_the_ledger_knows(postgres_server: EmbeddedPostgres, empty_database: str) -> None:
    url = postgres_server.url(empty_database)
    migrate.upgrade(url, "0011")
    with connect(url, library="demo") as ledger:
        for statement in (
            "INSERT INTO readers (library, patron_id, name, mobile, email, branch, last_seen_on) VALUES"
            " ('demo', 'P1', 'Anne', '33611111111', 'A@example.fr', 'SJA', now()),"
            " ('demo', 'P2', 'Zora', '33622222222', '', 'SJA', now())",
            "INSERT INTO suppressions (library, channel, recipient, reason, source, since, lifted_at) VALUES"
            " ('demo', 'sms', '33611111111', 'stop', 'reply', now(), NULL),"
            " ('demo', 'email', 'a@example.fr', 'hard_bounce', 'bounces', now(), NULL),"
            " ('demo', 'sms', '33622222222', 'dead_number', 'receipts', now(), now())",
            "INSERT INTO runs (library, stage, reference_date, due_date, today, dag_run_id, attempt, dry_run)"
            " SELECT 'demo', 'first_reminder', '2026-11-27', date '2026-11-20' + i, '2026-11-27', 'r' || i, 1, i = 3"
            " FROM generate_series(1, 3) AS i",
            "INSERT INTO loans_seen (run_id, loan_id, due_date, library, patron_id, seq, record)"
            " SELECT run_id, patron, due_date, 'demo', patron, 1, jsonb_build_object('branch', 'SJA', 'patron',"
            " jsonb_build_object('name', patron, 'email', refusal, 'mobile', refusal, 'address', refusal))"
            " FROM runs, unnest(ARRAY['P3', 'P4', 'P5']) AS patron,"
            " jsonb_build_object('refusal', 'missing') AS refusal",
            "INSERT INTO skips (library, run_id, loan_id, due_date, patron_id, reason, detail)"
            " SELECT library, run_id, loan_id, due_date, patron_id, 'no_recipient', 'email:missing' FROM loans_seen"
            " WHERE patron_id = 'P3' OR patron_id = 'P4' AND run_id = 1 OR patron_id = 'P5' AND run_id = 3",
            "INSERT INTO notices (notice_id, library, run_id, stage, patron_id, due_date, language, loan_ids)"
            " VALUES (gen_random_uuid(), 'demo', 2, 'first_reminder', 'P4', '2026-11-22', 'fr', '{P4}')",
        ):
            rows(ledger, statement)
        migrate.upgrade(url)
        found = "SELECT patron_id, fault, name, notices, suppression_id FROM corrections ORDER BY 1, 2"
        assert [tuple(row) for row in rows(ledger, found)] == [
            ("P1", "bounced_email", "Anne", 0, 2),
            ("P1", "stop", "Anne", 0, 1),
            ("P3", "no_contact", "P3", 2, None),
        ]
