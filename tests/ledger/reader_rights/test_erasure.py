"""Erasure at a reader's request: what can go goes at once, what must stay is said with why, others are left alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.reader_rights.erasure import ErasureRefusal, ErasureRefused, StaysBecause
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.ledger.reader_rights.erasure import PostgresErasure
from loan_reminders.ledger.reader_rights.everything import PostgresReaderData
from loan_reminders.ledger.readers.holds import PostgresHolds
from loan_reminders.ledger.retention.disputes import PostgresDisputes
from loan_reminders.ledger.retention.fingerprints import erased
from loan_reminders.ledger.suppressions.objections import PostgresObjections
from loan_reminders.ledger.suppressions.suppression_list import suppressed
from tests.scenes.builders import DUE_DATE, a_mobile, some_loans
from tests.scenes.disputed_loan import sent
from tests.scenes.ledger_runs import extracted, rows
from tests.scenes.planted import LONG_AFTER, NUMBER, YOUNG, Planted, every_row, found, plant, strays

W = StaysBecause
MAIL = (Channel.EMAIL, Channel.SMS, Channel.LETTER)


def erase(ledger, number=1, *, rehearse=False, today=LONG_AFTER):
    return ledger.part(PostgresErasure).erase(f"ZLECTEUR{number}Z", today=today, who="chloé", rehearse=rehearse)


def reasons(erasure):
    return {one.why: one.number for one in erasure.stays if one.why not in (W.COUNTERS, W.JOURNAL, W.BACKUPS)}


def printed(ledger):
    rows(ledger, "UPDATE letter_batches SET state = 'printed'")


@pytest.fixture
def two(ledger, tmp_path):
    """Two readers whose loans came back three days ago: far from what a night would remove."""
    plant(ledger, tmp_path, [Planted(number=one, channels=MAIL, ended_on=YOUNG, seen_on=YOUNG) for one in (1, 2)])
    printed(ledger)
    return ledger


def test_a_reader_nobody_knows_cannot_be_erased(two):
    before = every_row(two)
    with pytest.raises(ErasureRefused) as refused:
        erase(two, 9)
    assert refused.value.code is ErasureRefusal.UNKNOWN_READER
    assert every_row(two) == before


def test_a_rehearsal_says_what_would_be_and_changes_nothing(two):
    before = [row for row in every_row(two) if row[0] != "retention_state"]
    would = erase(two, rehearse=True)
    assert [row for row in every_row(two) if row[0] != "retention_state"] == before
    assert erase(two) == would


def test_nothing_of_the_reader_is_left_but_hashes_and_everything_of_the_other_is(two):
    others = [row for row in every_row(two) if 2 in found([row]) and 1 not in found([row])]
    counted = [row for row in every_row(two) if row[0] in ("message_counters", "overdue_counters", "runs")]
    erasure = erase(two)
    after = every_row(two)
    assert 1 not in found(after)
    assert [row for row in after if 2 in found([row])] == others
    assert [row for row in after if row[0] in ("message_counters", "overdue_counters", "runs")] == counted
    assert erasure.complete
    assert (erasure.removed.loans, erasure.removed.messages, erasure.removed.readers) == (1, 3, 1)
    assert reasons(erasure) == {W.PRINTED_FILE: 1, W.CYCLE_HASH: 1, W.STOP_HASH: 1, W.OBJECTION_HASH: 1}
    with two.engine.begin() as connection:
        key = LoanKey(loan_id="ZPRET1Z", due_date=DUE_DATE)
        assert erased(connection, "demo", [key]) == frozenset({key})
        assert suppressed(connection, "demo", [a_mobile(NUMBER.format(1))])
    assert two.part(PostgresObjections).objected(["ZLECTEUR1Z"]) == {"ZLECTEUR1Z": frozenset({Channel.SMS})}
    assert rows(two, "SELECT who, patron_id, facts ->> 'loans' FROM journal WHERE act = 'reader_erased'") == [
        ("chloé", "", "1")
    ]
    with pytest.raises(ErasureRefused):
        erase(two)


def test_what_belongs_to_no_loan_goes_with_the_reader(two, tmp_path):
    strays(two, tmp_path, 1)
    rows(two, "UPDATE sms_replies SET settled_at = now()")
    rows(two, "UPDATE sms_acks SET settled_at = now() WHERE settled_at IS NULL")
    rows(two, "UPDATE mail_bounces SET settled_at = now() WHERE settled_at IS NULL")
    erase(two)
    left = found(every_row(two)).get(1, set())
    assert left <= {"journal"}  # a line about nobody, which a night lets forget


def keeps(two, why, *, number=1):
    """What stays for this reason keeps the reader, and all that it is about."""
    before = erase(two, rehearse=True)
    assert why in reasons(before), before
    assert not before.complete
    after = erase(two)
    assert rows(two, "SELECT 1 FROM readers WHERE patron_id = :id", id=f"ZLECTEUR{number}Z")
    return after


def test_an_open_loan_stays_with_its_messages(two):
    rows(two, "UPDATE loan_ends SET ended_on = NULL, how = NULL WHERE loan_id = 'ZPRET1Z'")
    assert keeps(two, W.OPEN_LOAN).removed.messages == 0
    assert two.dispute().file("ZPRET1Z").deliveries
    assert rows(two, "SELECT patron_id FROM journal WHERE act = 'reader_erased'") == [("ZLECTEUR1Z",)]


@pytest.mark.parametrize("whole", [False, True])
def test_a_dispute_keeps_what_it_is_about_until_its_day(two, whole):
    two.part(PostgresDisputes).note(
        patron_id="ZLECTEUR1Z", loan_id="" if whole else "ZPRET1Z", until=LONG_AFTER, reason="conteste", who="zoé",
        today=YOUNG,
    )  # fmt: skip
    after = keeps(two, W.DISPUTE)
    assert {one.why: one.until for one in after.stays}[W.DISPUTE] == LONG_AFTER
    rows(two, "UPDATE disputes SET until = until - 1")
    assert erase(two).complete


def test_a_hold_keeps_the_reader_and_not_his_loans(two):
    until = LONG_AFTER + timedelta(days=9)
    two.part(PostgresHolds).place(patron_id="ZLECTEUR1Z", loan_id="", until=until, reason="x", who="zoé", today=YOUNG)
    after = keeps(two, W.HOLD)
    assert (after.removed.loans, {one.why: one.until for one in after.stays}[W.HOLD]) == (1, until)


def test_a_run_under_way_is_not_robbed_of_what_it_reads(two):
    extracted(two, [Planted(number=1).loan], dag_run_id="now", today=datetime.now(UTC).date())
    assert keeps(two, W.RUN_UNDER_WAY).removed.loans == 0


def test_a_letter_that_waits_to_be_printed_stays_in_its_batch(two):
    rows(two, "UPDATE letter_batches SET state = 'ready'")
    assert keeps(two, W.LETTER_NOT_PRINTED).removed.loans == 0


@pytest.mark.parametrize(("hours", "files"), [(None, 1), (1, 1), (30, 0)])
def test_the_files_of_an_abandoned_draft_are_told_of_until_the_night_after_its_run(two, hours, files):
    """They go when the letters of its run are printed or refused, and that task may not have come to it yet."""
    rows(two, "UPDATE letter_batches SET state = 'abandoned'")
    rows(two, "UPDATE runs SET closed_at = now() - make_interval(hours => CAST(:hours AS int))", hours=hours)
    assert reasons(erase(two)).get(W.PRINTED_FILE, 0) == files


def test_a_registered_letter_stays_until_it_was_answered(ledger, tmp_path):
    plant(ledger, tmp_path, [Planted(number=1, ended_on=YOUNG, seen_on=YOUNG)])
    printed(ledger)
    rows(ledger, "UPDATE registered_letters SET state = 'posted'")
    assert keeps(ledger, W.REGISTERED_UNDER_WAY).removed.loans == 0
    rows(ledger, "UPDATE registered_letters SET state = 'acknowledged'")
    assert erase(ledger).complete


def test_a_message_about_two_loans_stays_with_the_one_that_is_open(ledger):
    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE, loans=some_loans(2), words=("Objet", "Titre n° 1, Titre n° 2"))
    [[run_id]] = rows(ledger, "SELECT run_id FROM runs")
    ledger.close_run(run_id)
    rows(ledger, "UPDATE runs SET state = 'closed'")
    rows(ledger, "UPDATE loan_ends SET ended_on = :day, how = 'returned' WHERE loan_id = 'L1'", day=YOUNG)
    erasure = ledger.part(PostgresErasure).erase("P1", today=LONG_AFTER, who="zoé", rehearse=False)
    assert (erasure.removed.loans, erasure.removed.messages, erasure.complete) == (1, 0, False)
    everything = ledger.part(PostgresReaderData).gather("P1")
    assert {row["loan_id"] for row in everything.rows["loans_seen"]} == {"L2"}
    assert [row["loan_ids"] for row in everything.rows["notices"]] == [["L2"]]


def test_a_number_that_another_reader_has_stays_on_the_list(two):
    rows(two, "UPDATE readers SET mobile = :number WHERE patron_id = 'ZLECTEUR2Z'", number=NUMBER.format(1))
    erasure = erase(two)
    assert erasure.complete
    assert reasons(erasure)[W.SHARED_CONTACT] == 1
    assert rows(two, "SELECT 1 FROM suppressions WHERE recipient = :number", number=NUMBER.format(1))


def test_what_was_kept_as_a_hash_before_is_said_to_stay(two):
    """He was erased, came back, and is erased again: his STOP, his objection and his no are still heard."""
    rows(two, "INSERT INTO sms_choices (library, patron_id, choice, source, who)"
              " VALUES ('demo', 'ZLECTEUR1Z', 'no', 'librarian', 'zoé')")  # fmt: skip
    heard = {W.STOP_HASH: 1, W.OBJECTION_HASH: 1, W.SMS_NO_HASH: 1}
    assert reasons(erase(two)).items() >= heard.items()
    run = extracted(two, [Planted(number=1).loan], dag_run_id="back", today=date(2030, 6, 16))
    rows(two, "UPDATE runs SET started_at = started_at - interval '32 days' WHERE run_id = :run", run=run.run_id)
    rows(two, "DELETE FROM loans_seen WHERE run_id = :run", run=run.run_id)
    again = erase(two)
    assert again.complete
    assert reasons(again).items() >= heard.items()


def test_a_rehearsal_about_a_reader_stays_as_long_as_a_dispute_with_him(two, tmp_path):
    strays(two, tmp_path, 1)
    dry = "SELECT 1 FROM notices JOIN runs USING (run_id) WHERE dry_run"
    disputes = two.part(PostgresDisputes)
    disputes.note(patron_id="ZLECTEUR1Z", loan_id="", until=LONG_AFTER, reason="x", who="zoé", today=YOUNG)
    erase(two)
    assert len(rows(two, dry)) == 1
    rows(two, "UPDATE disputes SET until = until - 1")
    erase(two)
    assert rows(two, dry) == []


def test_a_reader_erased_comes_back_as_a_new_one_who_is_not_told_of_the_old_loan(two):
    erase(two)
    run = extracted(two, [Planted(number=1).loan], dag_run_id="back", today=date(2030, 6, 16))
    with two.planning(run.run_id) as planning:
        taken = planning.history([LoanKey(loan_id="ZPRET1Z", due_date=DUE_DATE)])
    assert taken
    assert rows(two, "SELECT 1 FROM readers WHERE patron_id = 'ZLECTEUR1Z'")
