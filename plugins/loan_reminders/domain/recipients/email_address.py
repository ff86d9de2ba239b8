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
_SEPARATORS = re.compile(r"[;,|\s]+")
_BETWEEN = re.compile(r"[/&]")
_AROUND_AT = re.compile(r"\s*@\s*")
_ANGLE_BRACKETS = re.compile(r"<([^<>]*)>")
_REMARK = re.compile(r"(?<![@\w.])\([^()@]*\)|(?<=[A-Za-z])\([^()@]*\)(?=[\s,;/|]|$)|\[[^][@]*\](?=[\s,;/|]|$)")
_LABEL = re.compile(r"(?:mailto|smtp|e-?mails?|m[eé]ls?|courriels?|adresse)[:=](?://)?", re.IGNORECASE)
_QUOTES = "\"'`´‘’‚“”„«»"
_AROUND_WORD = _QUOTES + ":-–—=/.*>"
_PLAIN_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_NOT_A_LETTER = re.compile(r"[^a-z0-9]+")

_DUMMY_WORDS = frozenset({
    "sans", "sansmail", "sansemail", "sansadresse", "sansadressemail", "pasdemail", "pasdemel", "pasdadresse",
    "pasdemailconnu", "pasdecourriel", "pasmail", "aucun", "aucune", "aucunmail", "aucunemail", "neant", "rien", "vide",
    "none", "null", "nil", "na", "nomail", "noemail", "nobody", "inconnu", "inconnue", "unknown", "nonrenseigne", "nc",
    "noreply", "donotreply", "nepasrepondre", "nepasenvoyer", "arenseigner", "adefinir", "anonyme",
})  # fmt: skip
_MAY_BE_SOMEBODY = frozenset({"nc", "na", "nil", "rien"})
"""Of these, initials and first names: `nc@univ.fr` is Nina Caron; `nc@nc.fr` is nobody."""

_LABELS = frozenset({
    "perso", "personnel", "personnelle", "pro", "professionnel", "professionnelle", "travail", "bureau", "maison",
    "domicile", "prive", "privee", "principal", "principale", "secondaire", "univ", "universite", "etudiant", "fac",
    "parents", "mere", "pere", "ou", "et", "or", "and", "puis", "sinon", "mail", "mails", "email", "emails", "mel",
    "courriel", "adresse", "mailto", "private", "work", "home", "a", "utiliser", "nouveau", "nouvelle", "ancien",
    "ancienne", "preferee", "prefere",
})  # fmt: skip
"""Words that a desk writes beside an address; any other word makes it doubtful whose it is."""

_DUMMY_DOMAINS = frozenset(
    {"aucun", "aucune", "sans", "neant", "inconnu", "nomail", "noemail", "sansmail", "pasdemail"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailAddress:
    """An address any SMTP server can take, ASCII only: `marie.dupont@etu.univ.fr`, domain in lower case."""

    value: str

    @classmethod
    def parse(cls, text: str | None) -> EmailAddress:
        """Read one ILS field; the first valid address of several is kept.

        Mends what cannot change who is written to: spaces around, no-break spaces, control characters, a final
        dot, `MAILTO:`, `Mail :`, quotes, `Name <address>`, a remark in brackets, words of a closed list (`perso`), the
        domain's case, a domain with accents (IDNA). Several addresses are parted by `;`, `,`, `/`, `ou` or spaces. A
        comma or a space inside an address is not mended: `marie,dupont@…` could be anybody.

        Raises RecipientError with `missing` (empty), `dummy` (a placeholder), or `not_an_address`, which also
        covers what is valid only with SMTPUTF8 (RFC 6531), too long (RFC 5321), or on a private domain.
        """
        if text and len(text) > _LONGEST_FIELD:
            raise RecipientError(Refusal.NOT_AN_ADDRESS)
        cleaned = _INVISIBLE.sub("", text).strip() if text else ""
        if not cleaned:
            raise RecipientError(Refusal.MISSING)
        pieces, words = _pieces(cleaned)
        if not pieces and _says_nothing(cleaned):
            raise RecipientError(Refusal.DUMMY)
        if not pieces or not all(_letters(word) in _LABELS or not _letters(word) for word in words):
            raise RecipientError(Refusal.NOT_AN_ADDRESS)
        code = Refusal.NOT_AN_ADDRESS
        for piece in pieces:
            local, _, domain = piece.rpartition("@")
            domain = domain.rstrip(".")
            if _is_dummy(local, domain):
                code = Refusal.DUMMY
            elif found := _valid(local, domain):
                return cls(value=found)
        raise RecipientError(code)


def _pieces(field: str) -> tuple[list[str], list[str]]:
    """What may be addresses, in their order, and the words beside them."""
    bracketed = _ANGLE_BRACKETS.findall(field)
    if bracketed and "@" not in _ANGLE_BRACKETS.sub("", field):
        return _pieces(" ".join(bracketed))
    field = _AROUND_AT.sub("@", _REMARK.sub(" ", field))
    pieces: list[str] = []
    words: list[str] = []
    for part in filter(None, _SEPARATORS.split(field)):
        between = _BETWEEN.split(part)
        for one in between if part.count("@") > 1 and all("@" in one for one in between if one) else (part,):
            piece = _LABEL.sub("", one.strip("/").lstrip(_QUOTES), count=1).strip(_QUOTES)
            if piece.startswith("("):
                piece = piece.strip("()")
            (pieces if "@" in piece else words).append(piece if "@" in piece else piece.strip(_AROUND_WORD))
    return pieces, words


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
    host = domain.partition(".")[0].lower()
    if letters in _MAY_BE_SOMEBODY:
        return host in _DUMMY_WORDS
    if letters in _DUMMY_WORDS or (letters and set(letters) == {"x"}):
        return True
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
