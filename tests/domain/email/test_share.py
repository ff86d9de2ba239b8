"""The shares in which the e-mails of a run are sent."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loan_reminders.domain.email.share import LEAST, WHOLE, Share, shares


@pytest.mark.parametrize(
    ("emails", "workers", "count"),
    [(0, 4, 1), (250, 4, 1), (2 * LEAST - 1, 4, 1), (2 * LEAST, 4, 2), (10_000, 4, 4), (10_000, 1, 1)],
)
def test_a_small_run_is_one_share_and_a_large_one_as_many_as_there_are_workers(emails, workers, count):
    found = shares(emails, workers=workers)
    assert [(one.number, one.of) for one in found] == [(number, count) for number in range(1, count + 1)]


@given(st.uuids(), st.integers(min_value=1, max_value=32))
def test_each_delivery_is_in_exactly_one_share(delivery_id, count):
    found = [one for one in shares(count * LEAST, workers=count) if one.first <= delivery_id <= one.last]
    assert len(found) == 1


def test_shares_are_of_one_size_whatever_their_number():
    ids = [uuid.uuid4() for _ in range(6_000)]
    for of in (2, 3, 7):
        for number in range(1, of + 1):
            share = Share(number=number, of=of)
            inside = sum(share.first <= one <= share.last for one in ids)
            assert abs(inside - len(ids) / of) < 0.2 * len(ids) / of


@given(st.integers(min_value=1, max_value=600_000), st.integers(min_value=1, max_value=32))
def test_the_parts_of_a_limit_come_to_the_limit(total, of):
    parts = [Share(number=number, of=of).part(total) for number in range(1, of + 1)]
    assert min(parts) >= 1
    assert total < of or sum(parts) == total


def test_a_share_told_to_another_task_is_the_same():
    share = Share(number=2, of=3)
    assert Share.told(share.numbers()) == share
    assert Share.told(None) == WHOLE
    assert WHOLE.whole
    assert (WHOLE.first.int, WHOLE.last.int) == (0, 2**128 - 1)


@pytest.mark.parametrize(("number", "of"), [(0, 1), (3, 2), (1, 0)])
def test_a_share_beyond_the_last_is_a_mistake(number, of):
    with pytest.raises(ValueError, match="numbered from 1"):
        Share(number=number, of=of)
