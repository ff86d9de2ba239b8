"""The extraction contract: the columns an ILS gives for one loan, and how a row becomes a `Loan`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from loan_reminders.domain.errors import RecipientError, RowError
from loan_reminders.domain.loans import NO_REMARKS, CodeKind, Loan, Patron, RejectedRow, RowRemarks
from loan_reminders.domain.recipients import EmailAddress, MobileNumber, PostalAddress
from loan_reminders.domain.runs.reading.cells import (
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
from loan_reminders.domain.runs.reading.codes import PHONE_COLUMNS as PHONE_COLUMNS
from loan_reminders.domain.runs.reading.codes import CodeMapping as CodeMapping
from loan_reminders.domain.runs.reading.consent import BIRTH_DATE
from loan_reminders.domain.runs.reading.mojibake import LOST, is_suspect, repaired, text_of
from loan_reminders.domain.states import Refusal

ADDRESS_COLUMNS = ("address_1", "address_2", "address_3", "address_4")
PLACE_COLUMNS = ("postcode", "city", "country")
CONTACTS_KEPT = 512
"""Contacts of each kind that are remembered while rows are read."""

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
    *PLACE_COLUMNS,
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


WORDS: tuple[str, ...] = (
    "last_name",
    "first_name",
    "full_name",
    *ADDRESS_COLUMNS,
    "city",
    "country",
    "title",
    "author",
    "call_number",
    "volume",
)
"""The columns whose texts are for people, and are repaired when they are in the wrong encoding: no code, no e-mail."""


_SUBFIELD = re.compile(r"\$\$[^\s$]?")


def parse_row(row: Mapping[str, object], codes: CodeMapping) -> Loan:
    """Read one row of the extraction; keys are `COLUMNS`, an absent one counts as NULL.

    A reader without a name has the name "", a document without a title the title "".
    Raises RowError with a code of `RowFault` when the loan, its dates or its reader are missing or cannot be read.
    """
    row, mended, lost = _mended(row)
    get = row.get
    key = identifier(get("loan_key"), "loan_key")
    number = identifier(get("loan_number"), "loan_number")
    patron_id = identifier(get("patron_id"), "patron_id")
    if not key:
        raise RowError(RowFault.MISSING, "loan_key")
    if not patron_id:
        raise RowError(RowFault.MISSING, "patron_id")
    due_date = read_day(get("due_date"), "due_date", zone=codes.zone)
    branch = clean_text(get("branch"), "branch")
    unknown = codes.unknown(
        status=clean_text(get("patron_status"), "patron_status"),
        kind=clean_text(get("patron_type"), "patron_type"),
        branch=branch,
        language=clean_text(get("language"), "language"),
    )
    if code := codes.consent.unknown(_consent_code(row, codes)):
        unknown = (*unknown, (CodeKind.SMS_CONSENT, code))
    noticed = bool(unknown or mended or lost)
    return Loan(
        loan_id=_loan_id(key, number),
        due_date=due_date,
        loan_date=read_day(get("loan_date"), "loan_date", zone=codes.zone),
        renewal_count=read_count(get("renewal_count"), "renewal_count"),
        patron=_patron(row, patron_id, codes, due_date),
        title=display_text(get("title"), "title"),
        author=display_text(get("author"), "author"),
        call_number=_call_number(get("call_number")),
        volume=display_text(get("volume"), "volume"),
        item_barcode=clean_text(get("item_barcode"), "item_barcode"),
        branch=branch,
        item_status=clean_text(get("item_status"), "item_status"),
        price_text=amount_text(get("price_text"), "price_text"),
        remarks=RowRemarks(unknown=unknown, repaired=mended, lost=lost) if noticed else NO_REMARKS,
    )


def _mended(row: Mapping[str, object]) -> tuple[Mapping[str, object], int, int]:
    """The row with its words in the right encoding, how many were not, and how many have lost signs for good."""
    changes: dict[str, str] = {}
    mended = lost = 0
    for column in WORDS:
        value = row.get(column)
        if isinstance(value, (bytes, bytearray, memoryview)):
            found = text_of(bytes(value))
            if found is None:
                continue  # whoever reads the column says so
            value, wrong = found
            changes[column] = value
            mended += wrong
        if not isinstance(value, str) or value.isascii():
            continue
        if is_suspect(value) and (right := repaired(value)) != value:
            changes[column] = value = right
            mended += 1
        lost += LOST in value
    return ({**row, **changes} if changes else row), mended, lost


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
    """Keep a row that cannot be read, with values any JSON store takes; of a birth date nothing is kept."""
    raw = {name: json_value(value) for name, value in row.items() if name != BIRTH_DATE}
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


def _patron(row: Mapping[str, object], patron_id: str, codes: CodeMapping, due_date: date) -> Patron:
    get = row.get
    name = _name(row)
    status = clean_text(get("patron_status"), "patron_status")
    kind = clean_text(get("patron_type"), "patron_type")
    return Patron(
        patron_id=patron_id,
        barcode=clean_text(get("patron_barcode"), "patron_barcode"),
        name=name,
        category=codes.category(status, kind),
        language=codes.language(clean_text(get("language"), "language")) or codes.default_language,
        email=_email(raw_text(get("email"), "email")),
        mobile=_mobile(tuple(raw_text(get(column), column) for column in codes.phone_columns), codes.sms_countries),
        address=_address(
            name,
            _given(row),
            tuple(raw_text(get(column), column) for column in ADDRESS_COLUMNS),
            tuple(raw_text(get(column), column) for column in PLACE_COLUMNS),
            codes.own_addresses,
        ),
        sms_choice=codes.consent.choice(_consent_code(row, codes)),
        minor=codes.consent.minor(get(BIRTH_DATE), on=due_date, zone=codes.zone),
    )


def _consent_code(row: Mapping[str, object], codes: CodeMapping) -> str:
    try:
        return clean_text(row.get(codes.consent.column), codes.consent.column)
    except RowError:
        return ""


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


# A reader's loans lie close together in what the ILS gives, with the same contacts in each row: these are understood
# once. The answers are values that nobody changes.
@lru_cache(maxsize=CONTACTS_KEPT)
def _email(text: str | None) -> EmailAddress | Refusal:
    try:
        return EmailAddress.parse(text)
    except RecipientError as error:
        return error.code


@lru_cache(maxsize=CONTACTS_KEPT)
def _mobile(fields: tuple[str | None, ...], countries: frozenset[str]) -> MobileNumber | Refusal:
    try:
        return MobileNumber.first_of(fields, countries=countries)
    except RecipientError as error:
        return error.code


@lru_cache(maxsize=CONTACTS_KEPT)
def _address(
    name: str,
    given: str,
    lines: tuple[str | None, ...],
    place: tuple[str | None, ...],
    own: tuple[tuple[str, ...], ...],
) -> PostalAddress | Refusal:
    postcode, city, country = place
    try:
        return PostalAddress.parse(
            name=name, lines=lines, postcode=postcode, city=city, country=country, own=own, given=given
        )
    except RecipientError as error:
        return error.code


def _call_number(value: object) -> str:
    """A call number without MARC subfield marks: `$$a843 $$bPRO` is read `843 PRO`."""
    text = display_text(value, "call_number")
    return " ".join(_SUBFIELD.sub(" ", text).split()) if "$$" in text else text
