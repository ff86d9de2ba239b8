"""Texts grouped into the provider's requests: one text a request, no number twice in the same one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from loan_reminders.domain.messages import RenderedText


def grouped_for_requests(messages: Iterable[RenderedText], size: int) -> Iterator[tuple[RenderedText, ...]]:
    """Group messages by text, at most `size` a group, each number once in a group; every message is in one group.

    Groups come in the order of their first message, and messages keep their order within a text.
    """
    if size < 1:
        raise ValueError("a request holds at least one message")
    texts: dict[str, _Groups] = {}
    for message in messages:
        texts.setdefault(message.text, _Groups()).add(message, size)
    for ours in texts.values():
        yield from map(tuple, ours.groups)


@dataclass(slots=True)
class _Groups:
    """The groups of one text. Those before `open` are full; `next_of` is where a number's next message may go."""

    groups: list[list[RenderedText]] = field(default_factory=list)
    open: int = 0
    next_of: dict[str, int] = field(default_factory=dict)

    def add(self, message: RenderedText, size: int) -> None:
        """Put a message in the first group with room and without its number, looking at no group in vain."""
        number = message.recipient.value
        place = max(self.open, self.next_of.get(number, 0))
        while place < len(self.groups) and len(self.groups[place]) >= size:
            place += 1
        if place == len(self.groups):
            self.groups.append([])
        self.groups[place].append(message)
        self.next_of[number] = place + 1
        while self.open < len(self.groups) and len(self.groups[self.open]) >= size:
            self.open += 1
