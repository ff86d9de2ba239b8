"""Bounces that would kill too many addresses at once wait for a person."""

from __future__ import annotations

from datetime import date

import pytest

from loan_reminders.domain.email.feedback import BounceKind
from loan_reminders.domain.email.mass_bounces import DayOfMail, DeadCandidate, bounces_to_hold, of_crowded_domains
from tests.scenes.ledger_emails import a_bounce, came_back, came_back_in_a_mass, dead_addresses, mailed, mailed_to
from tests.scenes.ledger_runs import rows

DAY, OTHER_DAY = date(2026, 12, 7), date(2026, 12, 8)


def dying(*addresses: str, day: date = DAY) -> list[DeadCandidate]:
    return [DeadCandidate(bounce_id=number, address=address, day=day) for number, address in enumerate(addresses, 1)]


def of_domains(count: int) -> list[str]:
    return [f"r@d{number}.example" for number in range(count)]


@pytest.mark.parametrize(
    ("addresses", "sent", "already", "held"),
    [
        ([f"r{n}@univ.example" for n in range(5)], 1000, 0, 0),
        ([f"r{n}@univ.example" for n in range(6)], 1000, 0, 6),
        ([f"r{n}@UNIV.example" for n in range(3)] + [f"r{n}@univ.example" for n in range(3, 6)], 1000, 0, 6),
        (["r@univ.example"] * 8, 1000, 0, 0),
        (of_domains(5), 100, 0, 0),
        (of_domains(6), 100, 0, 6),
        (of_domains(1), 100, 5, 1),
        (of_domains(2), 20, 0, 2),
        (of_domains(1), 20, 0, 0),
        (of_domains(4), 12, 0, 0),
        (of_domains(40), 1000, 0, 0),
    ],
)
def test_too_many_of_a_domain_or_of_a_day_are_held(addresses, sent, already, held):
    assert len(bounces_to_hold(dying(*addresses), {DAY: DayOfMail(sent=sent, dead=already)})) == held


def test_one_bad_day_does_not_hold_the_others():
    other = [DeadCandidate(bounce_id=99, address="z@z.example", day=OTHER_DAY)]
    days = {DAY: DayOfMail(sent=40, dead=0), OTHER_DAY: DayOfMail(sent=40, dead=0)}
    assert bounces_to_hold([*dying(*of_domains(3)), *other], days) == {1, 2, 3}


def test_addresses_that_fail_again_and_again_are_not_all_dead_either():
    many = [f"r{n}@orange.example" for n in range(6)]
    assert of_crowded_domains([*many, "a@b.example"]) == set(many)


def states(ledger):
    return {row[0] for row in rows(ledger, "SELECT state FROM deliveries")}


def test_six_of_a_domain_in_one_reading_kill_nobody_and_wait(ledger):
    _, settled = came_back_in_a_mass(ledger)
    assert (settled.held, settled.moved, settled.dead_addresses) == (6, 0, 0)
    assert (dead_addresses(ledger), states(ledger)) == ([], {"accepted"})
    [line] = ledger.mail_feedback().held()
    assert (line.domain, line.addresses, line.said) == ("univ.example", 6, "550 5.1.1 unknown")
    assert ledger.mail_feedback().settle(failures=3).bounces == 0


@pytest.mark.parametrize(
    ("are_dead", "reason", "on_the_list"), [(True, "dead_address", 6), (False, "recipient_refused", 0)]
)
def test_a_librarian_believes_them_or_not_and_the_emails_came_back_all_the_same(ledger, are_dead, reason, on_the_list):
    came_back_in_a_mass(ledger)
    feedback = ledger.mail_feedback()
    assert feedback.decide("univ.example", dead=are_dead, who="anne", failures=5) == 6
    assert {tuple(row) for row in rows(ledger, "SELECT state, reason FROM deliveries")} == {("bounced", reason)}
    assert len(dead_addresses(ledger)) == on_the_list
    assert feedback.held() == ()
    assert {row[0] for row in rows(ledger, "SELECT decided_by FROM mail_bounces")} == {"anne"}
    assert feedback.decide("univ.example", dead=True, who="anne", failures=5) == 0


def test_another_domain_is_not_decided_with_it(ledger):
    came_back_in_a_mass(ledger)
    assert ledger.mail_feedback().decide("autre.example", dead=True, who="anne", failures=5) == 0
    assert dead_addresses(ledger) == []


def test_a_later_bounce_that_is_not_one_of_many_confirms_what_is_held_of_its_address(ledger):
    came_back_in_a_mass(ledger)
    again = mailed(ledger, to="r1@univ.example")
    assert came_back(ledger, a_bounce(again, recipient="")).dead_addresses == 1
    assert dead_addresses(ledger) == ["r1@univ.example"]
    assert ledger.mail_feedback().held()[0].addresses == 5


def test_a_second_wave_confirms_nothing(ledger):
    came_back_in_a_mass(ledger)
    second = [mailed(ledger, to=f"r{n}@univ.example") for n in range(6)]
    assert came_back(ledger, *(a_bounce(one, recipient="") for one in second)).held == 6
    assert dead_addresses(ledger) == []


def test_more_than_one_in_twenty_of_a_day_is_held_whatever_the_domains(ledger):
    sent = mailed_to(ledger, *of_domains(40))
    settled = came_back(ledger, *(a_bounce(sent[to], recipient="") for to in of_domains(3)))
    assert (settled.held, dead_addresses(ledger)) == (3, [])


def test_soft_bounces_are_never_held(ledger):
    sent = mailed_to(ledger, *(f"r{n}@univ.example" for n in range(8)))
    settled = came_back(
        ledger, *(a_bounce(one, BounceKind.SOFT, recipient="", status="5.2.2") for one in sent.values())
    )
    assert (settled.held, settled.moved) == (0, 8)


def test_a_whole_domain_from_which_everything_comes_back_again_and_again_is_not_dead(ledger, caplog):
    addresses = [f"r{n}@orange.example" for n in range(6)]
    for _ in range(3):
        sent = [mailed(ledger, to=to) for to in addresses]
        came_back(ledger, *(a_bounce(one, BounceKind.SOFT, recipient="", status="5.7.1") for one in sent))
    assert dead_addresses(ledger) == []
    assert "aucune n'est tenue pour morte" in caplog.text
