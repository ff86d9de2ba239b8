"""Readers kept as the runs see them, and by the migration from the runs before it."""

from __future__ import annotations

import threading
from datetime import timedelta

from loan_reminders.commands import migrate
from loan_reminders.domain.loans import Loan
from loan_reminders.domain.readers.reader import Reader
from loan_reminders.domain.states import Refusal
from loan_reminders.ledger.connect import connect
from loan_reminders.ledger.readers.readers import PostgresReaders
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import DUE_DATE, a_loan, a_mobile, a_patron
from tests.scenes.ledger_runs import extracted, opened, rows
from tests.simulators.postgres import EmbeddedPostgres

TODAY = DUE_DATE + timedelta(days=1)


def reader_of(ledger: PostgresLedger, patron_id: str) -> Reader | None:
    readers = ledger.part(PostgresReaders)
    number = readers.number_of(patron_id)
    return None if number is None else readers.reader(number)


def test_an_empty_ledger_knows_nobody(ledger: PostgresLedger) -> None:
    readers = ledger.part(PostgresReaders)
    assert readers.number_of("P1") is None
    assert [readers.reader(number) for number in (-1, 0, 1, 2**63, 10**30)] == [None] * 5


def test_a_run_keeps_the_readers_of_its_loans(ledger: PostgresLedger) -> None:
    patron = a_patron(patron_id="P7", name="Élise\x00 DUPONT", mobile=a_mobile("33612345678"), email=Refusal.MISSING)
    extracted(ledger, [a_loan(patron=patron, branch="Sciences")])
    reader = reader_of(ledger, "P7")
    assert reader is not None
    assert (reader.name, reader.email, reader.mobile) == ("Élise DUPONT", "", "33612345678")
    assert (reader.branch, reader.last_seen_on) == ("Sciences", TODAY)
    assert reader.patron_id == "P7"
    [[words, found]] = rows(ledger, "SELECT name_words, trigrams FROM readers")
    assert words == ["ELISE", "DUPONT"]
    assert "  D" in found


def test_a_reader_who_changed_keeps_the_number(ledger: PostgresLedger) -> None:
    extracted(ledger, [a_loan()])
    before = reader_of(ledger, "P1")
    married = a_patron(name="Camille Nouveau-Nom")
    extracted(ledger, [a_loan(loan_id="L2", patron=married)], dag_run_id="later", today=TODAY + timedelta(days=1))
    after = reader_of(ledger, "P1")
    assert before is not None
    assert after is not None
    assert (after.number, after.name) == (before.number, "Camille Nouveau-Nom")
    assert rows(ledger, "SELECT 'NOUVEAU' = ANY(name_words) FROM readers") == [(True,)]


def test_what_did_not_change_is_not_written_again(ledger: PostgresLedger) -> None:
    loans = [a_loan(loan_id=f"L{place}") for place in range(3)]
    extracted(ledger, loans)
    before = rows(ledger, "SELECT ctid::text, xmin::text FROM readers")
    extracted(ledger, loans, dag_run_id="again")
    extracted(ledger, loans, dag_run_id="next day", today=TODAY + timedelta(days=6))
    assert rows(ledger, "SELECT ctid::text, xmin::text FROM readers") == before


def test_a_reader_is_said_to_be_there_once_a_week(ledger: PostgresLedger) -> None:
    extracted(ledger, [a_loan()])
    extracted(ledger, [a_loan()], dag_run_id="later", today=TODAY + timedelta(days=7))
    assert rows(ledger, "SELECT last_seen_on FROM readers") == [(TODAY + timedelta(days=7),)]


def test_an_older_day_does_not_overwrite_a_newer_one(ledger: PostgresLedger) -> None:
    extracted(ledger, [a_loan(patron=a_patron(name="Nouveau"))], today=TODAY)
    late = a_loan(patron=a_patron(name="Ancien"))
    extracted(ledger, [late], dag_run_id="late", today=TODAY - timedelta(days=3))
    reader = reader_of(ledger, "P1")
    assert reader is not None
    assert (reader.name, reader.last_seen_on) == ("Nouveau", TODAY)


def test_a_trial_run_keeps_nobody(ledger: PostgresLedger) -> None:
    extracted(ledger, [a_loan()], dry_run=True)
    assert reader_of(ledger, "P1") is None


def test_two_runs_that_see_the_same_readers_in_another_order_do_not_block_each_other(ledger: PostgresLedger) -> None:
    loans: list[Loan] = [a_loan(loan_id=f"L{place}", patron=a_patron(patron_id=f"P{place}")) for place in range(300)]
    first, second = (opened(ledger, dag_run_id=name) for name in ("one", "two"))
    failures: list[BaseException] = []

    def record(run_id: int, seen: list[Loan]) -> None:
        try:
            for _ in range(4):
                ledger.record_loans(run_id, seen)
        except BaseException as error:
            failures.append(error)

    threads = [
        threading.Thread(target=record, args=(first.run_id, loans)),
        threading.Thread(target=record, args=(second.run_id, loans[::-1])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert rows(ledger, "SELECT count(*) FROM readers") == [(300,)]


def test_the_migration_keeps_those_that_earlier_runs_saw(postgres_server: EmbeddedPostgres, own_ledger: str) -> None:
    url = postgres_server.url(own_ledger)
    with connect(url, library="demo") as ledger:
        extracted(ledger, [a_loan(patron=a_patron(name="Ancien"))])
        newer = [a_loan(patron=a_patron(name="Zoé Nouveau")), a_loan(loan_id="L9", patron=a_patron(patron_id="P9"))]
        extracted(ledger, newer, dag_run_id="newer")
        trial = a_loan(loan_id="L8", patron=a_patron(patron_id="P8"))
        extracted(ledger, [trial], dag_run_id="trial", dry_run=True)
        before = rows(ledger, "SELECT patron_id, name, name_words, trigrams, email, card, last_seen_on FROM readers")
    migrate.downgrade(url, "0008")
    migrate.upgrade(url)
    with connect(url, library="demo") as ledger:
        after = rows(ledger, "SELECT patron_id, name, name_words, trigrams, email, card, last_seen_on FROM readers")
    assert sorted(after) == sorted(before)
    assert [row.name for row in sorted(after)] == ["Zoé Nouveau", a_patron().name]
