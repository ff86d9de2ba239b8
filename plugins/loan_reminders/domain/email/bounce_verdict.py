"""What a mail server's refusal says: of the address, of the mailbox, of the message, of the way there, or of us.

A refusal comes as the answer to RCPT or as a report later; one rule serves both. A code alone never makes an address
dead: a code that says so does when no word says another thing, or words that leave no doubt. Words about the sender, a
quota, a rate, a policy or a full mailbox count more than any code.
"""

from __future__ import annotations

import re
from enum import StrEnum

from loan_reminders.domain.email.bounce_words import (
    DIRECTORY_BLOCKS,
    MAILBOX,
    NAMES_THE_ADDRESS,
    NO_SUCH_ADDRESS,
    NOT_OUR_LIMIT,
    NOT_REACHED,
    OURS,
    POLICY,
    TO_COUNT_ON,
    TOO_BIG,
    folded,
)
from loan_reminders.domain.email.feedback import BounceKind

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_LATER_TO_ONE = re.compile(r"(?<![\d.])4\.(?:1\.[1-6]|2\.[12])(?![\d.])")
"""A domain or an address that is not found or not verified yet, a mailbox that takes nothing now."""
_REPLY_CODE = re.compile(r"(?<![\d.])([45])[0-5]\d(?=[ -]|$)")


class Cause(StrEnum):
    """Why a message was refused: a closed list.

    `NO_SUCH_ADDRESS`: nobody is there, and nobody will be; the only one that marks an address as dead. `MAILBOX`: it
    is there, and takes nothing now. `POLICY`: this message, or a rule. `NOT_REACHED`: the server could not be spoken
    to, or said « later ». `OURS`: the sender, its account, its rate or its connection. `UNKNOWN`: it does not say.
    """

    NO_SUCH_ADDRESS = "no_such_address"
    MAILBOX = "mailbox"
    POLICY = "policy"
    NOT_REACHED = "not_reached"
    OURS = "ours"
    UNKNOWN = "unknown"


# RFC 3463, the IANA registry and Microsoft's list: no such mailbox, no such domain, mailbox closed.
_DEAD = frozenset(
    {"1.0", "1.1", "1.2", "1.3", "1.4", "1.6", "1.10", "1.20", "1.351", "2.1", "4.4", "4.310", "7.17", "7.18"}
)
_SAYS_LITTLE = frozenset({"0", "2.0", "3.0", "5", "1.5", "4.0"})
"""Subjects, or subject and detail, with which servers say anything: their words decide."""

_BY_CODE: dict[str, Cause] = {
    **dict.fromkeys(("1.7", "1.8", "1.90", "4.5", "7.8", "7.9", "7.23", "7.25", "7.26", "7.27", "7.57"), Cause.OURS),
    **dict.fromkeys(("2.2", "2.121", "2.122", "3.1"), Cause.MAILBOX),
    **dict.fromkeys(("4", "3.2"), Cause.NOT_REACHED),
    **dict.fromkeys(("7", "6", "3", "2.3", "2.4"), Cause.POLICY),
}
"""What other codes are about, by subject and detail, else by subject."""


def cause(words: str, *, status: str = "", code: int = 0) -> Cause:
    """Why a server refuses, by all that it said.

    `words` are the answer's text or the report's diagnostic, codes included or not. `status` is the enhanced code
    (RFC 3463) where it is known apart, `code` the reply code (RFC 5321). An answer at RCPT is read with
    `cause(raw, code=550)`, a report with `cause(diagnostic, status="5.1.1")`.
    """
    said = folded(words)
    best_code = _best_code(status, words)
    if best_code == "5.4.1" and DIRECTORY_BLOCKS.search(said):
        return Cause.NO_SUCH_ADDRESS
    by_code = [_by_code(one) for one in (best_code, *_codes(words)) if one]
    by_words = _by_words(said)
    if by_words is not None:
        return by_words
    for one in (Cause.OURS, Cause.MAILBOX, Cause.NOT_REACHED, Cause.POLICY):
        if one in by_code:
            return one
    if _is_temporary(best_code, words, code):
        return Cause.NOT_REACHED
    code_says_dead = Cause.NO_SUCH_ADDRESS in by_code and (not _says_more(said) or NAMES_THE_ADDRESS.search(said))
    if code_says_dead or NO_SUCH_ADDRESS.search(said) or TO_COUNT_ON.search(said):
        return Cause.NO_SUCH_ADDRESS
    return Cause.UNKNOWN


def verdict(*, status: str = "", diagnostic: str, code: int = 0) -> BounceKind:
    """Whether a final failure means that the address is dead (`HARD`) or that only this message failed (`SOFT`)."""
    dead = cause(diagnostic, status=status, code=code) is Cause.NO_SUCH_ADDRESS
    return BounceKind.HARD if dead else BounceKind.SOFT


def is_about_one_recipient(words: str) -> bool:
    """Whether a server's « later » names the recipient's domain, address or mailbox, and so tells nothing of others.

    A full disk, a directory that does not answer or a rate are the server's own, or ours, whatever words they share.
    """
    if cause(words) is Cause.OURS:
        return False
    said = folded(words)
    return bool(_LATER_TO_ONE.search(words) or NOT_OUR_LIMIT.search(said) or NO_SUCH_ADDRESS.search(said))


def status_in(text: str) -> str:
    """The last enhanced status code (RFC 3463) of a failure that a server's words hold, or an empty text.

    A server that passes on another's answer puts that one last.
    """
    found = _codes(text)
    return found[-1] if found else ""


def tells_a_failure(text: str) -> bool:
    """Whether a server's words hold a failure's code, or a cause that is known."""
    if status_in(text) or _REPLY_CODE.search(text):
        return True
    said = folded(text)
    return _by_words(said) is not None or bool(NO_SUCH_ADDRESS.search(said) or TO_COUNT_ON.search(said))


def _codes(text: str) -> list[str]:
    return [code[0] for code in _STATUS.finditer(text) if code[1] != "2"]


def _best_code(status: str, words: str) -> str:
    """The code that says most: the report's own, unless it is vague and the words hold a better one."""
    own = _STATUS.fullmatch(status.strip())
    if own is not None and not _is_vague(own[0]):
        return own[0]
    return status_in(words) or (own[0] if own is not None else "")


def _by_words(said: str) -> Cause | None:
    """The cause that words name against a dead address; the narrowest first."""
    for words, found in (
        (NOT_OUR_LIMIT, Cause.MAILBOX),
        (TOO_BIG, Cause.POLICY),
        (OURS, Cause.OURS),
        (NOT_REACHED, Cause.NOT_REACHED),
        (MAILBOX, Cause.MAILBOX),
        (POLICY, Cause.POLICY),
    ):
        if words.search(said):
            return found
    return None


def _says_more(said: str) -> bool:
    """Whether there are words beside the codes, the protocol's name and what was left out."""
    return bool(re.search(r"[a-z]{2}", re.sub(r"<host>|\bsmtp\b|\bx-\w+", "", said)))


def _is_vague(status: str) -> bool:
    _, subject, detail = status.split(".")
    return subject in _SAYS_LITTLE or f"{subject}.{detail}" in _SAYS_LITTLE


def _by_code(status: str) -> Cause | None:
    kind, subject, detail = status.split(".")
    both = f"{subject}.{detail}"
    if _is_vague(status):
        return None
    if both in _DEAD:
        return Cause.NO_SUCH_ADDRESS if kind == "5" else Cause.NOT_REACHED
    return _BY_CODE.get(both) or _BY_CODE.get(subject)


def _is_temporary(best_code: str, words: str, code: int) -> bool:
    if best_code:
        return best_code.startswith("4")
    said = {one[1] for one in _REPLY_CODE.finditer(words)}
    return said == {"4"} or (not said and 400 <= code < 500)
