"""What the ledger's database says of itself; the doctor's tests plant each fault."""

from __future__ import annotations

from loan_reminders.ledger.installation.inspection import LedgerInspection
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.ledger_runs import opened, rows


def inspection(ledger: PostgresLedger, library: str = "demo") -> LedgerInspection:
    return LedgerInspection(ledger.engine, library=library)


def test_a_run_is_that_of_its_library_alone(ledger: PostgresLedger) -> None:
    assert not inspection(ledger).any_run()
    opened(ledger)
    assert inspection(ledger).any_run()
    assert not inspection(ledger, "elsewhere").any_run()


def test_the_clock_is_the_servers(ledger: PostgresLedger) -> None:
    before, after = rows(ledger, "SELECT clock_timestamp()"), inspection(ledger).clock()
    assert before[0][0] < after


def test_a_look_finds_all_rights_and_leaves_nothing(ledger: PostgresLedger) -> None:
    look = inspection(ledger).look()
    assert (look.missing_rights, look.journal_guarded, look.replica) == ((), True, False)
    assert rows(ledger, "SELECT count(*) FROM form_keys")[0][0] == 0


def test_a_server_by_a_socket_is_on_this_machine_and_tells_its_folder_to_who_may_know(ledger: PostgresLedger) -> None:
    place = inspection(ledger).place()
    [(folder,)] = rows(ledger, "SHOW data_directory")
    assert (place.is_here, place.folder) == (True, folder)
