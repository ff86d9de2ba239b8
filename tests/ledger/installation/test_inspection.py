"""What the ledger's database says of itself; the doctor's tests plant each fault."""

from __future__ import annotations

import pytest

from loan_reminders.domain.recipients import EmailAddress
from loan_reminders.domain.redirect import Redirect
from loan_reminders.ledger.installation.inspection import LedgerInspection
from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.builders import a_mobile, an_email
from tests.scenes.ledger_runs import rows
from tests.scenes.world import World, loans


def inspection(ledger: PostgresLedger, library: str = "demo") -> LedgerInspection:
    return LedgerInspection(ledger.engine, library=library)


def began(world: World) -> bool:
    return inspection(world.ledger, world.ledger.library).any_run_in_earnest()


def test_only_a_run_that_told_readers_of_the_library_is_a_beginning(world: World) -> None:
    world.begin(*loans(1), dry_run=True)
    world.begin(*loans(1))
    assert not began(world)
    world.whole_run(*loans(2))
    assert began(world)
    assert not inspection(world.ledger, "elsewhere").any_run_in_earnest()


@pytest.mark.parametrize("allow", [frozenset(), frozenset({an_email("lecteur2@etu.example.org")})])
def test_a_trial_is_none_be_a_colleague_named_in_it_or_not(world: World, allow: frozenset[EmailAddress]) -> None:
    world.redirect = Redirect(email=an_email("essai@example.org"), mobile=a_mobile("33600000001"), allow=allow)
    world.whole_run(*loans(2))
    assert not began(world)


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
