"""E-mail addresses as an ILS holds them: typed at a desk, pasted, or invented to fill a mandatory field."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.states import Refusal

_LONGEST_FIELD = 1000
_LONGEST_LOCAL_PART = 64
_LONGEST_ADDRESS = 254

_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SEPARATORS = re.compile(r"[;,\s]+")
_AROUND_AT = re.compile(r"\s*@\s*")
_ANGLE_BRACKETS = re.compile(r"[^<>]*<([^<>]*)>\s*")
_PLAIN_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_NOT_A_LETTER = re.compile(r"[^a-z0-9]+")

_DUMMY_WORDS = frozenset({
    "sans", "sansmail", "sansemail", "sansadresse", "sansadressemail", "pasdemail", "pasdemel", "pasdadresse",
    "pasdemailconnu", "pasdecourriel", "pasmail", "aucun", "aucune", "aucunmail", "aucunemail", "neant", "rien", "vide",
    "none", "null", "nil", "na", "nomail", "noemail", "nobody", "inconnu", "inconnue", "unknown", "nonrenseigne", "nc",
    "noreply", "donotreply", "nepasrepondre", "nepasenvoyer", "arenseigner", "adefinir", "anonyme",
})  # fmt: skip
_DUMMY_DOMAINS = frozenset(
    {"aucun", "aucune", "sans", "neant", "inconnu", "nomail", "noemail", "sansmail", "pasdemail"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailAddress:
    """An address any SMTP server can take, ASCII only: `marie.dupont@etu.univ.fr`, domain in lower case."""

    value: str

    @classmethod
    def parse(cls, text: str | None) -> EmailAddress:
        """Read one ILS field; the first valid address of several separated by `;`, `,` or spaces is kept.

        Mends what cannot change who is written to: spaces around, no-break spaces, control characters, a final
        dot, `mailto:`, `Name <address>`, the domain's case, a domain with accents (IDNA). A comma or semicolon
        inside an address is not mended: `marie,dupont@…` could be anybody.

        Raises RecipientError with `missing` (empty), `dummy` (a placeholder), or `not_an_address`, which also
        covers what is valid only with SMTPUTF8 (RFC 6531), too long (RFC 5321), or on a private domain.
        """
        cleaned = _INVISIBLE.sub("", text).strip() if text else ""
        if not cleaned:
            raise RecipientError(Refusal.MISSING)
        if len(cleaned) > _LONGEST_FIELD:
            raise RecipientError(Refusal.NOT_AN_ADDRESS)
        if bracketed := _ANGLE_BRACKETS.fullmatch(cleaned):
            cleaned = bracketed[1]
        pieces = [piece for piece in _SEPARATORS.split(_AROUND_AT.sub("@", cleaned)) if piece]
        if not all("@" in piece for piece in pieces):
            raise RecipientError(Refusal.DUMMY if _says_nothing(cleaned) else Refusal.NOT_AN_ADDRESS)
        code = Refusal.NOT_AN_ADDRESS
        for piece in pieces:
            local, _, domain = piece.removeprefix("mailto:").rpartition("@")
            domain = domain.rstrip(".")
            if _is_dummy(local, domain):
                code = Refusal.DUMMY
            elif found := _valid(local, domain):
                return cls(value=found)
        raise RecipientError(code)


def _letters(text: str) -> str:
    """Text without accents, case or punctuation."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _NOT_A_LETTER.sub("", text.lower())


def _says_nothing(text: str) -> bool:
    """True of words and signs that a desk types for "no address": `-`, `néant`, `xxx`."""
    letters = _letters(text)
    return letters in _DUMMY_WORDS or not letters or set(letters) == {"x"}


def _is_dummy(local: str, domain: str) -> bool:
    """True of placeholders: `sans@mail.fr`, `noreply@…`, `x@x.x`, `aa@aa.fr`."""
    letters = _letters(local)
    if letters in _DUMMY_WORDS or (letters and set(letters) == {"x"}):
        return True
    host = domain.partition(".")[0].lower()
    return host in _DUMMY_DOMAINS or (bool(local) and len(set(local.lower())) == 1 and set(host) == set(local.lower()))


def _valid(local: str, domain: str) -> str:
    """The address with its domain in ASCII, or nothing."""
    if len(local) > _LONGEST_LOCAL_PART or not _PLAIN_LOCAL_PART.fullmatch(local):
        return ""
    ascii_domain = _ascii_domain(domain)
    address = f"{local}@{ascii_domain}"
    return address if ascii_domain and len(address) <= _LONGEST_ADDRESS else ""


@lru_cache(maxsize=4096)
def _ascii_domain(domain: str) -> str:
    """A public domain in lower case and ASCII (IDNA 2008), or nothing. No DNS query. Readers share few domains."""
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(f"a@{domain}", check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return ""
    return found.ascii_domain.lower()


__all__ = ["EmailAddress"]
