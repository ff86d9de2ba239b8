"""What one sender of a run is told of another, which the mail server has served nobody."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedElsewhere:
    """A recipient's domain, what the server said, and whether it said « later » rather than « no »."""

    domain: str
    raw: str
    put_off: bool
