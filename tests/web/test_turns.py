"""Pages that ask the ledger much are made two at a time; whoever waits too long is not kept."""

from __future__ import annotations

import asyncio

import pytest

from loan_reminders.web import guard


async def made(number, patience, monkeypatch):
    """How many are made at once when so many ask, and whether all came to their end."""
    monkeypatch.setattr(guard, "PATIENCE_S", patience)
    at_once = most = done = 0

    async def answer():
        nonlocal at_once, most, done
        async with guard._taken_in_turn():
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.05)
            at_once -= 1
            done += 1

    await asyncio.gather(*(answer() for _ in range(number)))
    return most, done


def test_two_are_made_at_once_and_all_are_made(monkeypatch):
    assert asyncio.run(made(8, 5.0, monkeypatch)) == (guard.AT_ONCE, 8)


def test_nobody_waits_longer_than_the_patience(monkeypatch):
    most, done = asyncio.run(made(8, 0.001, monkeypatch))
    assert (most > guard.AT_ONCE, done) == (True, 8)


def test_a_turn_is_given_back_by_an_answer_that_fails():
    async def failing():
        for _ in range(guard.AT_ONCE + 1):
            with pytest.raises(ZeroDivisionError):
                async with guard._taken_in_turn():
                    raise ZeroDivisionError
        async with asyncio.timeout(0.5), guard._taken_in_turn():
            return True

    assert asyncio.run(failing())
