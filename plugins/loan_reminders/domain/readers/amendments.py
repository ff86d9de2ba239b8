"""« Rectification » : what a reader says is wrong in what the library system (ILS) tells of him.

The ILS stays the source. What is put right here stands in for what the ILS gives, as long as it goes on giving just
that; the day it gives something else, right or not, it is believed again and the amendment ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from loan_reminders.domain.errors import CodedError, RecipientError
from loan_reminders.domain.loans import Patron
from loan_reminders.domain.recipients import EmailAddress, MobileNumber, PostalAddress, Recipient
from loan_reminders.domain.recipients.names import name_forms
from loan_reminders.domain.states import Refusal

LONGEST_NAME = 200
LONGEST_REASON = 300
_WIDEST_LINE = 38


class AmendedField(StrEnum):
    """What can be put right."""

    NAME = "name"
    EMAIL = "email"
    MOBILE = "mobile"
    ADDRESS = "address"


class AmendmentEnd(StrEnum):
    """How an amendment ended: the ILS gives the same now, or something else; a person ended it, or noted another."""

    AGREED = "agreed"
    CHANGED = "changed"
    LIFTED = "lifted"
    REPLACED = "replaced"


class AmendmentRefusal(StrEnum):
    """Why an amendment is not noted, or not ended."""

    NO_REASON = "no_reason"
    NO_VALUE = "no_value"
    UNKNOWN_FIELD = "unknown_field"
    UNUSABLE = "unusable"
    SAME = "same"
    NOT_DESCRIBED = "not_described"
    UNKNOWN_READER = "unknown_reader"
    NOT_IN_FORCE = "not_in_force"


class AmendmentRefused(CodedError):
    """An amendment cannot be noted or ended; the code is an `AmendmentRefusal`."""


Value = str | Recipient
"""A name, or where somebody can be written to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """One field of a reader: `value` stands in for `instead_of`, what the ILS gave; None until a run has read it."""

    amendment_id: int
    patron_id: str
    field: AmendedField
    value: Value
    instead_of: Value | Refusal | None
    reason: str
    at: datetime
    who: str
    ended_at: datetime | None = None
    how: AmendmentEnd | None = None
    ended_by: str = ""

    @property
    def in_force(self) -> bool:
        """Whether it stands in for what the ILS gives."""
        return self.ended_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """A reader with what was put right; which amendments `ended`, and what the ILS was found to give for others."""

    patron: Patron
    ended: dict[int, AmendmentEnd] = field(default_factory=dict)
    learnt: dict[int, Value | Refusal] = field(default_factory=dict)


def given(patron: Patron, name: AmendedField) -> Value | Refusal:
    """What the ILS tells of a reader in one field."""
    match name:
        case AmendedField.NAME:
            return patron.name
        case AmendedField.EMAIL:
            return patron.email
        case AmendedField.MOBILE:
            return patron.mobile
        case AmendedField.ADDRESS:
            return patron.address


def amended(patron: Patron, amendments: Iterable[Amendment]) -> Amended:
    """The reader as the ILS gives him now, with his amendments in force, one a field at most."""
    made = Amended(patron=patron)
    standing: dict[AmendedField, Value] = {}
    for one in amendments:
        now = given(patron, one.field)
        if _same(now, one.value):
            made.ended[one.amendment_id] = AmendmentEnd.AGREED
        elif one.instead_of is not None and not _same(now, one.instead_of):
            made.ended[one.amendment_id] = AmendmentEnd.CHANGED
        else:
            standing[one.field] = _with_head_of(now, one)
            if one.instead_of is None:
                made.learnt[one.amendment_id] = now
    return replace(made, patron=_with(patron, standing)) if standing else made


def _same(one: Value | Refusal, other: Value | Refusal) -> bool:
    """Whether two values of a field are the same; an address is what stands below the name at its head."""
    if isinstance(one, PostalAddress) and isinstance(other, PostalAddress):
        return replace(one, lines=one.lines[1:]) == replace(other, lines=other.lines[1:])
    return one == other


def _with_head_of(now: Value | Refusal, one: Amendment) -> Value:
    """The value that stands; an address under the name that the ILS gives by now, where both had the same before."""
    before, value = one.instead_of, one.value
    if all(isinstance(each, PostalAddress) for each in (now, before, value)) and before.lines[0] == value.lines[0]:  # type: ignore[union-attr]
        return replace(value, lines=(now.lines[0], *value.lines[1:]))  # type: ignore[type-var,union-attr]
    return value


def _with(patron: Patron, standing: dict[AmendedField, Value]) -> Patron:
    address = standing.get(AmendedField.ADDRESS)
    if isinstance(address, PostalAddress):  # first: a name that was put right stands at its head too
        patron = replace(patron, address=address)
    name = standing.get(AmendedField.NAME)
    if isinstance(name, str):
        patron = replace(patron, name=name, address=_renamed(patron.address, patron.name, name))
    email, mobile = standing.get(AmendedField.EMAIL), standing.get(AmendedField.MOBILE)
    if isinstance(email, EmailAddress):
        patron = replace(patron, email=email)
    return replace(patron, mobile=mobile) if isinstance(mobile, MobileNumber) else patron


def _renamed(address: PostalAddress | Refusal, before: str, name: str) -> PostalAddress | Refusal:
    """The address with the new name at its head, where the old one stands there in one line."""
    if isinstance(address, Refusal) or address.lines[0] not in name_forms(before):
        return address
    short = next((form for form in name_forms(name) if len(form) <= _WIDEST_LINE), None)
    return address if short is None else replace(address, lines=(short, *address.lines[1:]))


def read_value(
    code: str, text: str, *, name: str, countries: frozenset[str], own: Iterable[Sequence[str]]
) -> tuple[AmendedField, Value]:
    """What somebody typed to stand in for one field, read as what the ILS gives is read.

    `name` is the reader's, for the head of his address; `countries` those where SMS may go; `own` the library's own
    addresses. Raises AmendmentRefused.
    """
    if code not in set(AmendedField):
        raise AmendmentRefused(AmendmentRefusal.UNKNOWN_FIELD)
    chosen, typed = AmendedField(code), text.strip()
    if not typed:
        raise AmendmentRefused(AmendmentRefusal.NO_VALUE)
    try:
        match chosen:
            case AmendedField.NAME:
                return chosen, _name(typed)
            case AmendedField.EMAIL:
                return chosen, EmailAddress.parse(typed)
            case AmendedField.MOBILE:
                return chosen, MobileNumber.parse(typed, countries=countries)
            case AmendedField.ADDRESS:
                return chosen, PostalAddress.parse(name=name, lines=typed.splitlines(), own=own)
    except RecipientError as error:
        raise AmendmentRefused(AmendmentRefusal.UNUSABLE, contact=error.code) from None


def _name(typed: str) -> str:
    name = " ".join(typed.split())
    if len(name) > LONGEST_NAME or not name_forms(name)[0]:
        raise RecipientError(Refusal.LINE_TOO_LONG)
    return name
