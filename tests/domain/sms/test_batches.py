"""How texts are grouped into requests."""

from __future__ import annotations

import uuid

import pytest

from loan_reminders.domain.messages import RenderedText
from loan_reminders.domain.recipients import MobileNumber
from loan_reminders.domain.sms.batches import batches


def a_text(number: int, text: str = "un") -> RenderedText:
    recipient = MobileNumber(value=f"336{number:08d}")
    return RenderedText(delivery_id=uuid.uuid4(), recipient=recipient, text=text, segments=1)


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_holds_at_least_one(size: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        list(batches([a_text(1)], size))


def test_nothing_makes_no_batch() -> None:
    assert list(batches([], 10)) == []


def test_texts_are_not_mixed_and_batches_are_not_too_large() -> None:
    messages = [a_text(number, text) for number, text in enumerate(["un", "deux", "un", "un", "deux", "un", "un"])]
    found = list(batches(iter(messages), 2))
    assert [[messages.index(message) for message in batch] for batch in found] == [[0, 2], [3, 5], [6], [1, 4]]


def test_the_same_number_twice_is_split_between_requests() -> None:
    messages = [a_text(1), a_text(1), a_text(2), a_text(1), a_text(1, "deux")]
    found = list(batches(messages, 100))
    assert [[messages.index(message) for message in batch] for batch in found] == [[0, 2], [1], [3], [4]]


def test_every_message_is_in_exactly_one_batch() -> None:
    messages = [a_text(number % 37, f"texte {number % 3}") for number in range(1000)]
    found = list(batches(messages, 10))
    assert sorted(message.delivery_id for batch in found for message in batch) == sorted(
        message.delivery_id for message in messages
    )
    for batch in found:
        assert len(batch) <= 10
        assert len({message.text for message in batch}) == 1
        assert len({message.recipient for message in batch}) == len(batch)
