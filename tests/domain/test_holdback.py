"""SMS held back at random: who, when, and always the same."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from loan_reminders.domain.holdback import Holdback

FIRST, LAST = date(2027, 1, 11), date(2027, 4, 11)


def holdback(share=0.5, seed="graine", **changes):
    return Holdback(**{"share": share, "first": FIRST, "last": LAST, "seed": seed, **changes})


@pytest.mark.parametrize(
    ("day", "runs"),
    [(FIRST - timedelta(days=1), False), (FIRST, True), (LAST, True), (LAST + timedelta(days=1), False)],
)
def test_nothing_is_held_back_outside_of_its_days(day, runs):
    held_back = holdback()
    control = next(f"P{n}" for n in range(100) if held_back.is_control(f"P{n}"))
    assert held_back.holds_back(control, day) is runs


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5])
def test_about_the_share_that_was_asked_for(share):
    found = sum(holdback(share).is_control(f"P{n}") for n in range(20_000)) / 20_000
    assert abs(found - share) < 0.015


def test_whoever_is_held_back_for_a_small_share_is_for_a_larger_one_too():
    small, large = holdback(0.1), holdback(0.4)
    assert all(large.is_control(f"P{n}") for n in range(2_000) if small.is_control(f"P{n}"))


def test_another_seed_draws_other_readers_whatever_their_numbers_look_like():
    one, other = holdback(seed="premier"), holdback(seed="second")
    for readers in ([f"P{n:06d}" for n in range(4_000)], [f"{n}" for n in range(4_000)]):
        both = sum(one.is_control(reader) and other.is_control(reader) for reader in readers)
        assert abs(both / 4_000 - 0.25) < 0.04


def test_the_draw_can_be_checked_by_whoever_knows_the_seed():
    # printf P7 | openssl dgst -sha256 -hmac graine: the first sixteen signs, as a number, below half of 2 to the 64
    told = {"P7": "52cf68f89f643b96", "é": "888f173cad557a0e", "": "edc3adb3bb9015e9"}
    for reader, digest in told.items():
        assert holdback(0.5).is_control(reader) is (int(digest, 16) < 2**63)
