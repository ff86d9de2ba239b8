"""What an SMTP server's answer means for one message and for all: RFC 5321 §4.2, enhanced codes by RFC 3463.

| answer | meaning |
|---|---|
| 2xx | `TAKEN` |
| 421, 503 | `GOODBYE`: this connection is over, another may do |
| 4xx with 4.3.2, or that names a rate (« too many », « throttled »…) | `BUSY`: the server asks everybody to wait |
| 4xx with 4.1.7 or 4.1.8 | `SENDER_LATER`: our own address cannot be checked now, nobody can be written to |
| other 4xx | `LATER`: this recipient, later |
| 530; 5xx with 5.1.7 or 5.1.8 | `SENDER_REFUSED`: a login or another sender address is needed |
| 5xx with 5.7.x, or that speaks of us; 550 or 554 without a code that names a policy | `POLICY`: perhaps everybody |
| other 5xx | `REFUSED`: this recipient or this message, for good |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from loan_reminders.domain.email.bounce_verdict import Cause, cause

_ENHANCED = re.compile(r"\d{3} ([245])\.(\d{1,3})\.(\d{1,3})\b")
_RATE = re.compile(
    r"too (?:many|much|fast)|rate.?limit|limit(?:s)? (?:has been |is |was )?(?:exceeded|reached)"
    r"|exceed\w* .*\b(?:rate|limit)|thrott|slow down|server (?:is )?busy|unusual rate|trop de ",
    re.IGNORECASE,
)
_GOODBYE = frozenset({421, 503})
_AUTHENTICATION_REQUIRED = 530
_MAILBOX_OR_TRANSACTION = frozenset({550, 554})


class Meaning(StrEnum):
    """What to do about an answer."""

    TAKEN = "taken"
    GOODBYE = "goodbye"
    BUSY = "busy"
    SENDER_LATER = "sender_later"
    LATER = "later"
    SENDER_REFUSED = "sender_refused"
    POLICY = "policy"
    REFUSED = "refused"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: its code, and code and words on one line, without our password."""

    code: int
    raw: str

    @property
    def status(self) -> str:
        """The enhanced status code, as « 5.1.1 »; empty without one."""
        found = _ENHANCED.match(self.raw)
        return ".".join(found.groups()) if found else ""

    @property
    def asks_to_wait(self) -> bool:
        """Whether a temporary answer is about our rate or the server's load, not about one recipient."""
        status = self.status
        if status == "4.3.2":
            return True
        return not status.startswith("4.2.") and bool(_RATE.search(self.raw))

    @property
    def meaning(self) -> Meaning:
        """Its place in the table above."""
        code = self.code
        if 200 <= code < 300:
            return Meaning.TAKEN
        if code in _GOODBYE:
            return Meaning.GOODBYE
        if 400 <= code < 500:
            if self.status in {"4.1.7", "4.1.8"}:
                return Meaning.SENDER_LATER
            return Meaning.BUSY if self.asks_to_wait else Meaning.LATER
        if 500 <= code < 600:
            return self._definite()
        return Meaning.UNREADABLE

    def _definite(self) -> Meaning:
        status = self.status
        if self.code == _AUTHENTICATION_REQUIRED or status in {"5.1.7", "5.1.8"}:
            return Meaning.SENDER_REFUSED
        why = cause(self.raw, status=status, code=self.code)
        if why is Cause.OURS or status.startswith("5.7."):
            return Meaning.POLICY
        named = not status and self.code in _MAILBOX_OR_TRANSACTION and why is Cause.POLICY
        return Meaning.POLICY if named else Meaning.REFUSED
