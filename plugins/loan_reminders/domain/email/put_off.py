"""A recipient whom the mail server put off, as a sender asks about them before it gives them up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOff:
    """A recipient's domain, and what the server said."""

    domain: str
    raw: str
