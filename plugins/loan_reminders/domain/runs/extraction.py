"""The extraction contract: the columns an ILS gives for one loan, and how a row becomes a `Loan`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from types import MappingProxyType

from loan_reminders.domain.errors import RecipientError, RowError, SettingsError
from loan_reminders.domain.loans import Loan, Patron, RejectedRow
from loan_reminders.domain.recipients import EmailAddress, MobileNumber, PostalAddress
from loan_reminders.domain.recipients.mobile_number import FRENCH_COUNTRIES
from loan_reminders.domain.runs.cells import (
    LONGEST_IDENTIFIER,
    RowFault,
    amount_text,
    clean_text,
    display_text,
    identifier,
    json_value,
    raw_text,
    read_count,
    read_day,
)
from loan_reminders.domain.stages import PatronCategory
from loan_reminders.domain.states import Refusal

PHONE_COLUMNS = ("phone_sms", "phone_1", "phone_2", "phone_3", "phone_4")
ADDRESS_COLUMNS = ("address_1", "address_2", "address_3", "address_4")
COLUMNS: tuple[str, ...] = (
    "loan_key",
    "loan_number",
    "loan_date",
    "due_date",
    "renewal_count",
    "patron_id",
    "patron_barcode",
    "patron_status",
    "patron_type",
    "last_name",
    "first_name",
    "full_name",
    "language",
    "email",
    *PHONE_COLUMNS,
    *ADDRESS_COLUMNS,
    "postcode",
    "city",
    "country",
    "title",
    "author",
    "call_number",
    "volume",
    "item_barcode",
    "branch",
    "item_status",
    "price_text",
)
"""Every column each `loans_due.sql` returns, in lower case; `sql/README.md` says what each holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeMapping:
    """What the ILS codes of a library mean.

    A reader's category comes from the status code, else from the type code, else it is OTHER.
    `phone_columns` are searched for a mobile number in their order. `default_language` (ISO 639-1) is for
    readers whose language is unknown; `sms_countries` (ISO 3166-1) are those whose mobiles may be written to.
    `own_addresses` are the library's, each as street and town: a reader does not live there. `zone` is the library's
    time zone, for dates that come as moments with an offset.
    Raises SettingsError for a phone column outside the contract.
    """

    patron_status: Mapping[str, PatronCategory] = field(default_factory=lambda: MappingProxyType({}))
    patron_type: Mapping[str, PatronCategory] = field(default_factory=lambda: MappingProxyType({}))
    phone_columns: tuple[str, ...] = PHONE_COLUMNS
    default_language: str = "fr"
    sms_countries: frozenset[str] = FRENCH_COUNTRIES
    own_addresses: tuple[tuple[str, ...], ...] = ()
    zone: tzinfo | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.phone_columns if name not in PHONE_COLUMNS]
        if unknown:
            raise SettingsError(f"phone_columns : {', '.join(unknown)} ; valeurs permises : {', '.join(PHONE_COLUMNS)}")

    def category(self, status: str, kind: str) -> PatronCategory:
        """The category of a reader of this status and type."""
        return self.patron_status.get(status) or self.patron_type.get(kind) or PatronCategory.OTHER


_ISO_639_1 = {
    "ara": "ar", "cat": "ca", "chi": "zh", "cze": "cs", "deu": "de", "dut": "nl", "ell": "el", "eng": "en",
    "fra": "fr", "fre": "fr", "ger": "de", "gre": "el", "heb": "he", "hun": "hu", "ita": "it", "jpn": "ja",
    "kor": "ko", "nld": "nl", "pol": "pl", "por": "pt", "ron": "ro", "rum": "ro", "rus": "ru", "spa": "es",
    "swe": "sv", "tur": "tr", "ukr": "uk", "vie": "vi", "zho": "zh",
}  # fmt: skip
"""ISO 639-2 codes, bibliographic and terminological, that an ILS may hold."""

_SUBFIELD = re.compile(r"\$\$[^\s$]?")


def parse_row(row: Mapping[str, object], codes: CodeMapping) -> Loan:
    """Read one row of the extraction; keys are `COLUMNS`, an absent one counts as NULL.

    A reader without a name has the name "", a document without a title the title "".
    Raises RowError with a code of `RowFault` when the loan, its dates or its reader are missing or cannot be read.
    """
    get = row.get
    key = identifier(get("loan_key"), "loan_key")
    number = identifier(get("loan_number"), "loan_number")
    patron_id = identifier(get("patron_id"), "patron_id")
    if not key:
        raise RowError(RowFault.MISSING, "loan_key")
    if not patron_id:
        raise RowError(RowFault.MISSING, "patron_id")
    due_date = read_day(get("due_date"), "due_date", zone=codes.zone)
    return Loan(
        loan_id=_loan_id(key, number),
        due_date=due_date,
        loan_date=read_day(get("loan_date"), "loan_date", zone=codes.zone),
        renewal_count=read_count(get("renewal_count"), "renewal_count"),
        patron=_patron(row, patron_id, codes),
        title=display_text(get("title"), "title"),
        author=display_text(get("author"), "author"),
        call_number=_call_number(get("call_number")),
        volume=display_text(get("volume"), "volume"),
        item_barcode=clean_text(get("item_barcode"), "item_barcode"),
        branch=clean_text(get("branch"), "branch"),
        item_status=clean_text(get("item_status"), "item_status"),
        price_text=amount_text(get("price_text"), "price_text"),
    )


def loan_id_of(row: Mapping[str, object]) -> str:
    """The loan that a row is about, as `parse_row` names it, or as `reject` does when the row cannot be read."""
    try:
        key, number = identifier(row.get("loan_key"), "loan_key"), identifier(row.get("loan_number"), "loan_number")
    except RowError:
        key, number = (_id_as_it_came(row.get(name)) for name in ("loan_key", "loan_number"))
    return _loan_id(key, number)


def loan_key_and_number(loan_id: str) -> tuple[str, str]:
    """The two halves of a loan's id, as the ILS gave them."""
    key, dash, number = loan_id.rpartition("-")
    return (key, number) if dash else (loan_id, "")


def _loan_id(key: str, number: str) -> str:
    """What a loan is known by. A key with dashes of its own (a UUID) and no number ends with one more, to part them."""
    return f"{key}-{number}" if key and (number or "-" in key) else key


def reject(row: Mapping[str, object], error: RowError) -> RejectedRow:
    """Keep a row that cannot be read, with values any JSON store takes."""
    raw = {name: json_value(value) for name, value in row.items()}
    key, number, patron = (_id_as_it_came(row.get(name)) for name in ("loan_key", "loan_number", "patron_id"))
    return RejectedRow(
        loan_id=_loan_id(key, number),
        patron_id=patron,
        code=str(error.code),
        column=error.column,
        raw=raw,
    )


def _id_as_it_came(value: object) -> str:
    """An identifier of a row that cannot be read; a long one is cut and marked, so that two stay two."""
    text = str(json_value(value) or "").strip()
    if len(text) <= LONGEST_IDENTIFIER:
        return text
    whole = value if isinstance(value, str) else text
    mark = hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:16]
    return f"{text[: LONGEST_IDENTIFIER - 17]}…{mark}"


def _patron(row: Mapping[str, object], patron_id: str, codes: CodeMapping) -> Patron:
    get = row.get
    name = _name(row)
    status = clean_text(get("patron_status"), "patron_status")
    kind = clean_text(get("patron_type"), "patron_type")
    return Patron(
        patron_id=patron_id,
        barcode=clean_text(get("patron_barcode"), "patron_barcode"),
        name=name,
        category=codes.category(status, kind),
        language=_language(clean_text(get("language"), "language"), codes.default_language),
        email=_email(get("email")),
        mobile=_mobile([raw_text(get(column), column) for column in codes.phone_columns], codes.sms_countries),
        address=_address(name, row, codes.own_addresses),
    )


LONGEST_NAME = 300


def _given(row: Mapping[str, object]) -> str:
    """The given names at the start of what `_name` answers, where the row tells them."""
    first = display_text(row.get("first_name"), "first_name")[:LONGEST_NAME]
    if first and clean_text(row.get("last_name"), "last_name"):
        return first
    return display_text(row.get("full_name"), "full_name")[:LONGEST_NAME].partition(",")[2].strip()


def _name(row: Mapping[str, object]) -> str:
    """First and last name, else `Last, First` turned round, else whichever part there is."""
    last = display_text(row.get("last_name"), "last_name")[:LONGEST_NAME]
    first = display_text(row.get("first_name"), "first_name")[:LONGEST_NAME]
    if first and last:
        return f"{first} {last}"
    full = display_text(row.get("full_name"), "full_name")[:LONGEST_NAME]
    if full:
        family, _, given = full.partition(",")
        return f"{given.strip()} {family.strip()}".strip()
    return last or first


def _language(code: str, default: str) -> str:
    """ISO 639-1, lower case, of `FRE`, `fr`, `fr-FR`…; the default for anything unknown."""
    short = code.lower().replace("_", "-").partition("-")[0]
    if len(short) == 2 and short.isascii() and short.isalpha():
        return short
    return _ISO_639_1.get(short, default)


def _email(value: object) -> EmailAddress | Refusal:
    try:
        return EmailAddress.parse(raw_text(value, "email"))
    except RecipientError as error:
        return error.code


def _mobile(fields: list[str | None], countries: frozenset[str]) -> MobileNumber | Refusal:
    try:
        return MobileNumber.first_of(fields, countries=countries)
    except RecipientError as error:
        return error.code


def _address(name: str, row: Mapping[str, object], own: tuple[tuple[str, ...], ...]) -> PostalAddress | Refusal:
    try:
        return PostalAddress.parse(
            name=name,
            lines=[raw_text(row.get(column), column) for column in ADDRESS_COLUMNS],
            postcode=raw_text(row.get("postcode"), "postcode"),
            city=raw_text(row.get("city"), "city"),
            country=raw_text(row.get("country"), "country"),
            own=own,
            given=_given(row),
        )
    except RecipientError as error:
        return error.code


def _call_number(value: object) -> str:
    """A call number without MARC subfield marks: `$$a843 $$bPRO` is read `843 PRO`."""
    text = display_text(value, "call_number")
    return " ".join(_SUBFIELD.sub(" ", text).split()) if "$$" in text else text
