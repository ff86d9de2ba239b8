"""What the removal leaves alone: disputes, runs under way, shared messages, figures, and who did what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from loan_reminders.commands import rebuild_counters
from loan_reminders.domain.errors import LedgerRefusal, LedgerRefused
from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.ledger.journal import PostgresJournal
from loan_reminders.ledger.readers.holds import PostgresHolds
from loan_reminders.ledger.retention.disputes import PostgresDisputes
from loan_reminders.ledger.statistics.costs import PostgresCosts
from loan_reminders.ledger.statistics.counting import count_again
from tests.scenes.builders import some_loans
from tests.scenes.disputed_loan import sent
from tests.scenes.ledger_runs import extracted, rows
from tests.scenes.planted import LONG_AFTER, OLD, TERMS, YOUNG, Planted, every_row, found, plant, remove, strays
from tests.scenes.several_libraries import use, write_libraries

FIGURES = ("message_counters", "return_counters", "overdue_counters")


def figures(ledger):
    return {table: sorted(map(str, rows(ledger, f"SELECT * FROM {table}"))) for table in FIGURES}


def count(ledger, table, where="true"):
    return rows(ledger, f"SELECT count(*) FROM {table} WHERE {where}")[0][0]


def end(ledger, loan_id, day=OLD):
    rows(ledger, "UPDATE loan_ends SET open_on = least(open_on, :day), ended_on = :day, how = 'returned'"
                 " WHERE loan_id = :id", day=day, id=loan_id)  # fmt: skip


@pytest.mark.parametrize("whole", [False, True])
def test_a_dispute_keeps_the_loan_its_letters_and_the_reader_until_its_day(ledger, tmp_path, whole):
    one = Planted(number=1)
    plant(ledger, tmp_path, [one])
    disputes = ledger.part(PostgresDisputes)
    disputes.note(patron_id=one.patron.patron_id, loan_id="" if whole else one.loan.loan_id, until=LONG_AFTER,
                  reason="conteste", who="zoé", today=OLD)  # fmt: skip
    before = every_row(ledger)
    assert remove(ledger, tmp_path).loans == 0
    after = every_row(ledger)
    assert [row for row in after if 1 in found([row])] == [row for row in before if 1 in found([row])]
    assert sorted(path.name for path in tmp_path.rglob("*.pdf")) == ["lettres.pdf", "lettres.pdf"]
    rows(ledger, "UPDATE disputes SET until = until - 1")
    assert remove(ledger, tmp_path).loans == 1
    assert found(every_row(ledger)) == {}
    assert list(tmp_path.rglob("*.pdf")) == []


def test_a_dispute_keeps_what_came_from_all_numbers_and_addresses_of_the_reader(ledger, tmp_path):
    """Lifted holds, older disputes, answers from a number he has no more, rehearsals: nothing is about him alone."""
    plant(ledger, tmp_path, [Planted(number=1)])
    strays(ledger, tmp_path, 1)
    rows(
        ledger, "UPDATE readers SET mobile = '33699999999', email = 'autre@example.org' WHERE patron_id = 'ZLECTEUR1Z'"
    )
    disputes = ledger.part(PostgresDisputes)
    for until in (OLD, LONG_AFTER):
        disputes.note(patron_id="ZLECTEUR1Z", loan_id="", until=until, reason="conteste", who="zoé", today=OLD)
    rows(ledger, "UPDATE disputes SET closed_at = :day, at = :day WHERE until = :day", day=OLD)
    remembered = ("suppressions", "holds", "disputes", "put_aside", "sms_replies", "sms_acks", "mail_bounces", "skips",
                  "loans_seen", "deliveries", "notices")  # fmt: skip
    before = [row for row in every_row(ledger) if row[0] in remembered]
    assert {table for table, _ in before} == set(remembered)
    for _ in range(2):
        remove(ledger, tmp_path)
        assert [row for row in every_row(ledger) if row[0] in remembered] == before
    rows(ledger, "UPDATE disputes SET until = until - 1 WHERE closed_at IS NULL")
    remove(ledger, tmp_path)
    assert found(row for row in every_row(ledger) if row[0] in remembered) == {}


def test_a_message_about_two_loans_goes_with_the_second(ledger, tmp_path):
    loans = some_loans(2)
    delivery = sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE, loans=loans, words=("Objet", "Titre n° 1, Titre n° 2"))
    [[run_id]] = rows(ledger, "SELECT run_id FROM runs")
    ledger.close_run(run_id)
    end(ledger, "L1")
    end(ledger, "L2", YOUNG)
    assert (remove(ledger, tmp_path).counts()["loans"], count(ledger, "deliveries")) == (1, 1)
    assert rows(ledger, "SELECT loan_id FROM loans_seen") == rows(ledger, "SELECT loan_id FROM delivery_loans")
    assert rows(ledger, "SELECT loan_ids FROM notices")[0][0] == ["L2"]
    assert count(ledger, "sent_words") == 1
    found_again = ledger.dispute().file("L2")
    assert found_again is not None
    assert [one.delivery_id for one in found_again.deliveries] == [delivery.delivery_id]
    assert ledger.dispute().file("L1") is None
    end(ledger, "L2")
    remove(ledger, tmp_path)
    assert {count(ledger, table) for table in ("deliveries", "notices", "sent_words", "receipts", "loans_seen")} == {0}


def test_what_a_run_under_way_reads_is_not_taken_from_under_it(ledger, tmp_path):
    plant(ledger, tmp_path, [Planted(number=1)])
    run = extracted(ledger, [Planted(number=1).loan], dag_run_id="now")
    assert remove(ledger, tmp_path).loans == 0
    with ledger.planning(run.run_id) as planning:
        planning.record([], [])
    ledger.close_run(run.run_id)
    end(ledger, Planted(number=1).loan.loan_id)
    assert remove(ledger, tmp_path).loans == 1


def test_a_loan_nobody_asks_about_any_more_goes_after_the_last_thing_known_of_it(ledger, tmp_path):
    plant(ledger, tmp_path, [Planted(number=1), Planted(number=2)])
    rows(ledger, "UPDATE loan_ends SET ended_on = NULL, how = NULL, open_on = :day", day=TERMS.loans_until)
    rows(ledger, "UPDATE loan_ends SET open_on = open_on + 1 WHERE loan_id = 'ZPRET2Z'")
    assert remove(ledger, tmp_path).loans == 1
    assert set(found(every_row(ledger))) == {2}


def test_the_acknowledgement_of_a_letter_is_something_known_of_a_loan_nobody_asks_about(ledger, tmp_path):
    plant(ledger, tmp_path, [Planted(number=1)])
    rows(ledger, "UPDATE loan_ends SET ended_on = NULL, how = NULL, open_on = :day", day=OLD)
    rows(ledger, "UPDATE letter_events SET delivery_id = (SELECT delivery_id FROM registered_letters), at = :at"
                 " WHERE event_id = (SELECT max(event_id) FROM letter_events)", at=YOUNG)  # fmt: skip
    assert remove(ledger, tmp_path).loans == 0
    rows(ledger, "UPDATE letter_events SET at = :at", at=OLD)
    assert remove(ledger, tmp_path).loans == 1


def test_figures_stay_whatever_is_counted_again(ledger, ledger_url, tmp_path, monkeypatch):
    use(monkeypatch, write_libraries(tmp_path / "libraries", "demo"))
    plant(ledger, tmp_path, [Planted(number=n, ended_on=OLD if n % 2 else YOUNG) for n in range(1, 7)])
    rows(ledger, "INSERT INTO loan_looks (library, day) VALUES ('demo', :day), ('demo', :later)",
         day=OLD - timedelta(days=2), later=YOUNG - timedelta(days=1))  # fmt: skip
    assert rebuild_counters.main(["--bibliotheque", "demo", "--qui", "zoé", "--url", ledger_url]) == 0
    before = figures(ledger)
    assert all(before.values())
    remove(ledger, tmp_path)
    assert figures(ledger) == before
    assert rebuild_counters.main(["--bibliotheque", "demo", "--qui", "zoé", "--url", ledger_url]) == 0
    runs = [row[0] for row in rows(ledger, "SELECT run_id FROM runs")]
    with ledger.engine.begin() as connection:
        assert count_again(connection, "demo", runs) == len(runs)
    ledger.loan_ends().looked(today=YOUNG, since=OLD - timedelta(days=3), asked=0, ended=0)
    after = figures(ledger)
    later = {day for day in after["overdue_counters"] if day not in before["overdue_counters"]}
    assert all(f"{YOUNG:%Y, %-m, %-d}" in line for line in later)
    assert {name: rows_ for name, rows_ in after.items() if name != "overdue_counters"} == {
        name: rows_ for name, rows_ in before.items() if name != "overdue_counters"
    }
    assert set(before["overdue_counters"]) <= set(after["overdue_counters"])


def test_what_sms_cost_is_still_known_and_what_nobody_told(ledger, tmp_path):
    plant(ledger, tmp_path, [*(Planted(number=n) for n in (1, 3)), Planted(number=2, ended_on=YOUNG, seen_on=YOUNG)])
    rows(ledger, "UPDATE deliveries SET cost = 0.05 WHERE channel = 'sms' AND NOT recipient = :one",
         one=Planted(number=3).patron.mobile.value)  # fmt: skip
    with ledger.engine.begin() as connection:
        count_again(connection, "demo", [row[0] for row in rows(ledger, "SELECT run_id FROM runs")])
    today = datetime.now(UTC).date()
    span = {"first": today - timedelta(days=2), "last": today + timedelta(days=2), "zone": "Europe/Paris"}
    before = ledger.sms_costs(**span)
    assert [(one.sms, one.segments, one.cost, one.unpriced) for one in before] == [(3, 3, pytest.approx(0.1), 1)]
    costs = ledger.part(PostgresCosts)
    counted = costs.counted(**span)
    remove(ledger, tmp_path)
    assert ledger.sms_costs(**span) == before
    with ledger.engine.begin() as connection:
        count_again(connection, "demo", [row[0] for row in rows(ledger, "SELECT run_id FROM runs")])
    assert costs.counted(**span) == counted
    assert sum(one.unpriced for one in counted) == 1


@pytest.mark.parametrize(
    "change",
    ["UPDATE deliveries SET redirected = true", "UPDATE runs SET kind = 'resend'",
     "UPDATE deliveries SET redirected = true, segments = 0, cost = 0"],
)  # fmt: skip
def test_sms_that_told_nobody_are_still_counted_where_they_are_paid_for(ledger, tmp_path, change):
    plant(ledger, tmp_path, [Planted(number=1), Planted(number=2, ended_on=YOUNG, seen_on=YOUNG)])
    rows(ledger, "UPDATE deliveries SET cost = 0.05 WHERE channel = 'sms'")
    rows(ledger, change)
    today = datetime.now(UTC).date()
    span = {"first": today - timedelta(days=2), "last": today + timedelta(days=2), "zone": "Europe/Paris"}
    before = ledger.sms_costs(**span)
    assert [one.sms for one in before] == [2]
    remove(ledger, tmp_path)
    assert ledger.sms_costs(**span) == before


def test_the_books_of_a_run_of_which_loans_are_removed_stay_what_they_were(ledger, tmp_path):
    plant(ledger, tmp_path, [Planted(number=1), Planted(number=2, ended_on=YOUNG, seen_on=YOUNG)])
    for [run_id] in rows(ledger, "SELECT run_id FROM runs"):
        ledger.close_run(run_id)  # once more: receipts have come meanwhile
    books = rows(ledger, "SELECT run_id, books FROM runs ORDER BY run_id")
    remove(ledger, tmp_path)
    for run_id, _ in books:
        assert not ledger.close_run(run_id).problems()
    assert rows(ledger, "SELECT run_id, books FROM runs ORDER BY run_id") == books


def test_a_run_of_which_a_program_before_removed_loans_is_left_as_it_was(ledger, tmp_path):
    plant(ledger, tmp_path, [Planted(number=1)])
    before = rows(ledger, "SELECT run_id, books FROM runs ORDER BY run_id"), figures(ledger)
    rows(ledger, "UPDATE counted_runs SET frozen = true")
    rows(ledger, "UPDATE deliveries SET segments = 9")
    with ledger.engine.begin() as connection:
        assert count_again(connection, "demo", [run_id for run_id, _ in before[0]]) == 0
    with pytest.raises(LedgerRefused) as refused:
        ledger.close_run(before[0][0][0])
    assert refused.value.code is LedgerRefusal.RUN_ERASED
    assert (rows(ledger, "SELECT run_id, books FROM runs ORDER BY run_id"), figures(ledger)) == before


def test_the_journal_keeps_who_did_what_and_forgets_about_whom(ledger, tmp_path):
    one = Planted(number=1)
    plant(ledger, tmp_path, [one])
    lines = "SELECT entry_id, at, who, act FROM journal WHERE act <> 'data_erased' ORDER BY entry_id"
    before = rows(ledger, lines)
    assert len(before) == 5
    remove(ledger, tmp_path)
    assert rows(ledger, lines) == before
    assert rows(ledger, "SELECT DISTINCT patron_id, detail FROM journal") == [("", "")]
    [told] = rows(ledger, "SELECT who, facts FROM journal WHERE act = 'data_erased'")
    assert (told.who, told.facts["loans"], told.facts["readers"]) == ("relances", 1, 1)
    assert ("day", LONG_AFTER.isoformat()) in told.facts.items()


@pytest.mark.parametrize(
    "change",
    ["who = 'moi'", "at = now()", "act = 'held'", "detail = 'autre'", "patron_id = 'P9'", "facts = '{\"loan\": \"X\"}'",
     "delivery_id = gen_random_uuid()", "run_id = 1"],
)  # fmt: skip
def test_a_line_of_the_journal_can_only_forget_and_only_when_it_is_told_to(ledger, change):
    PostgresJournal(ledger._transaction, library="demo").keep(
        who="zoé", act=JournalAct.READER_SEEN, patron_id="P1", detail="vu"
    )
    with pytest.raises(DBAPIError, match="append-only"):
        rows(ledger, "UPDATE journal SET patron_id = ''")
    for statement in (f"UPDATE journal SET {change}", "DELETE FROM journal", "TRUNCATE journal"):
        with ledger.engine.connect() as connection:
            connection.exec_driver_sql("SELECT set_config('loan_reminders.forgetting', 'on', true)")
            with pytest.raises(DBAPIError, match="append-only"):
                connection.exec_driver_sql(statement)


def test_a_reader_who_is_not_to_be_written_to_stays_as_long_as_that_holds(ledger, tmp_path):
    one = Planted(number=1)
    plant(ledger, tmp_path, [one])
    ledger.part(PostgresHolds).place(patron_id=one.patron.patron_id, loan_id="", until=LONG_AFTER, reason="décès",
                                     who="zoé", today=OLD)  # fmt: skip
    assert remove(ledger, tmp_path).readers == 0
    assert count(ledger, "readers") == 1
    rows(ledger, "UPDATE holds SET until = until - 1")
    assert remove(ledger, tmp_path).readers == 1
    assert count(ledger, "holds") == 0


def test_another_librarys_readers_are_none_of_ours(ledger, ledger_url, tmp_path):
    from loan_reminders.ledger.connect import connect

    with connect(ledger_url, library="autre") as other:
        plant(other, tmp_path / "autre", [Planted(number=1)])
    before = every_row(ledger)
    assert remove(ledger, tmp_path / "autre").counts() == dict.fromkeys(remove(ledger, tmp_path).counts(), 0)
    ours = [row for row in every_row(ledger) if row[0] != "retention_state"]
    assert ours == before
