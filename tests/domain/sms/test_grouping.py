"""How texts are grouped into requests."""

from __future__ import annotations

import uuid

import pytest

from loan_reminders.domain.messages import RenderedText
from loan_reminders.domain.recipients import MobileNumber
from loan_reminders.domain.sms.grouping import grouped_for_requests


def a_text(number: int, text: str = "un") -> RenderedText:
    recipient = MobileNumber(value=f"336{number:08d}")
    return RenderedText(delivery_id=uuid.uuid4(), recipient=recipient, text=text, segments=1)


@pytest.mark.parametrize("size", [0, -1])
def test_a_request_holds_at_least_one(size: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        list(grouped_for_requests([a_text(1)], size))


def test_nothing_makes_no_request() -> None:
    assert list(grouped_for_requests([], 10)) == []


def test_texts_are_not_mixed_and_requests_are_not_too_large() -> None:
    messages = [a_text(number, text) for number, text in enumerate(["un", "deux", "un", "un", "deux", "un", "un"])]
    found = list(grouped_for_requests(iter(messages), 2))
    assert [[messages.index(message) for message in group] for group in found] == [[0, 2], [3, 5], [6], [1, 4]]


def test_the_same_number_twice_is_split_between_requests() -> None:
    messages = [a_text(1), a_text(1), a_text(2), a_text(1), a_text(1, "deux")]
    found = list(grouped_for_requests(messages, 100))
    assert [[messages.index(message) for message in group] for group in found] == [[0, 2], [1], [3], [4]]


def test_every_message_is_in_exactly_one_request() -> None:
    messages = [a_text(number % 37, f"texte {number % 3}") for number in range(1000)]
    found = list(grouped_for_requests(messages, 10))
    assert sorted(message.delivery_id for group in found for message in group) == sorted(
        message.delivery_id for message in messages
    )
    for group in found:
        assert len(group) <= 10
        assert len({message.text for message in group}) == 1
        assert len({message.recipient for message in group}) == len(group)
