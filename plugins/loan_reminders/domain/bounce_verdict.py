"""What a mail server's refusal says of an address: dead, or only not this time."""

from __future__ import annotations

import re

from loan_reminders.domain.mail_feedback import BounceKind

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?<![\d.])([45])[0-5]\d(?=[ -]|$)")

# RFC 3463 and the IANA registry: no such mailbox, no such domain, mailbox closed. 5.1.7, 5.1.8 and 5.1.9 are about the
# sender or about the way.
_DEAD = frozenset({"1.0", "1.1", "1.2", "1.3", "1.4", "1.6", "1.10", "2.1", "4.4"})
_SAYS_LITTLE = frozenset({"0", "2.0", "3.0", "5.0"})
"""Subjects, or subject and detail, with which servers say anything: their words decide."""

_NOT_THE_ADDRESS = re.compile(
    r"quota|mailbox (is )?full|full mailbox|over its storage|bo[iî]te (aux lettres |de r[eé]ception )?(est )?pleine"
    r"|insufficient (disk|storage)|spam|blacklist|block ?list|blocked|policy|reputation|dmarc|\bspf\b|greylist|virus"
    r"|(sender|exp[eé]diteur) [^.;]{0,40}(denied|rejected|refused|not |refus[eé]|rejet[eé])"
    r"|too (large|big)|trop (gros|volumineux)|loop|timed? ?out|rate limit",
    re.IGNORECASE,
)
_NO_SUCH_ADDRESS = re.compile(
    r"(user|recipient|mailbox|address|account|destinataire|utilisateur|compte|adresse|bo[iî]te)[^.;]{0,60}"
    r"(unknown|not (be )?found|no longer|doesn.t exist|does not exist|disabled|inactive|unavailable|invalid"
    r"|rejected|n.existe (pas|plus)|n'a pas [eé]t[eé] trouv[eé]|inconnue?|introuvable|invalide|d[eé]sactiv[eé]e?)"
    r"|(unknown|invalid|no such) (local )?(user|recipient|mailbox|address|person)"
    r"|no (mailbox|account) (here|by that name)|doesn't have an? [\w.]+ account"
    r"|host (or domain name )?(unknown|not found)",
    re.IGNORECASE,
)


def status_in(text: str) -> str:
    """The last enhanced status code (RFC 3463) of a failure that a server's words hold, or an empty text.

    A server that passes on another's answer puts that one last.
    """
    found = [code[0] for code in _STATUS.finditer(text) if code[1] != "2"]
    return found[-1] if found else ""


def verdict(*, status: str, diagnostic: str) -> BounceKind:
    """Whether a final failure means that the address is dead (`HARD`) or that only this message failed (`SOFT`).

    Dead: no such mailbox or domain, mailbox closed. Everything else is about the message, the moment or the sender: a
    full mailbox, a rule against spam, a server that never answered.
    """
    match = _STATUS.fullmatch(status.strip())
    told = match if match and not _is_vague(match) else _STATUS.fullmatch(status_in(diagnostic)) or match
    if told is not None and not _is_vague(told):
        if told[1] == "5" and f"{told[2]}.{told[3]}" in _DEAD:
            return BounceKind.HARD
        return BounceKind.SOFT
    codes = {code[1] for code in _REPLY_CODE.finditer(diagnostic)}
    temporary = told[1] == "4" if told is not None else codes == {"4"}
    if temporary or _NOT_THE_ADDRESS.search(diagnostic) or not _NO_SUCH_ADDRESS.search(diagnostic):
        return BounceKind.SOFT
    return BounceKind.HARD


def tells_a_failure(text: str) -> bool:
    """Whether a server's words hold a failure's code, or say that there is no such address or no room."""
    return bool(
        status_in(text) or _REPLY_CODE.search(text) or _NO_SUCH_ADDRESS.search(text) or _NOT_THE_ADDRESS.search(text)
    )


def _is_vague(status: re.Match[str]) -> bool:
    return status[2] in _SAYS_LITTLE or f"{status[2]}.{status[3]}" in _SAYS_LITTLE
