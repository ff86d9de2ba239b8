"""Texts grouped into the provider's requests: one text a request, no number twice in the same one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loan_reminders.domain.messages import RenderedText


def batches(messages: Iterable[RenderedText], size: int) -> Iterator[tuple[RenderedText, ...]]:
    """Group messages by text, at most `size` a group, each number once in a group; every message is in one group.

    Groups come in the order of their first message, and messages keep their order within a text.
    """
    if size < 1:
        raise ValueError("a batch holds at least one message")
    groups: dict[str, list[list[RenderedText]]] = {}
    numbers: dict[int, set[str]] = {}
    for message in messages:
        ours = groups.setdefault(message.text, [])
        number = message.recipient.value
        group = next((group for group in ours if len(group) < size and number not in numbers[id(group)]), None)
        if group is None:
            group = []
            ours.append(group)
            numbers[id(group)] = set()
        group.append(message)
        numbers[id(group)].add(number)
    for ours in groups.values():
        yield from map(tuple, ours)
