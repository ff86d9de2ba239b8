"""Which codes of a row the settings do not know, and what becomes of the reader."""

from __future__ import annotations

import pytest

from loan_reminders.domain.loans import CodeKind
from loan_reminders.domain.runs.extraction import parse_row
from loan_reminders.domain.runs.reading.codes import CodeMapping
from loan_reminders.domain.stages import PatronCategory

S, T, B, L = CodeKind.STATUS, CodeKind.TYPE, CodeKind.BRANCH, CodeKind.LANGUAGE
STATUSES, TYPES = {"01": PatronCategory.STUDENT}, {"EX": PatronCategory.EXTERNAL}
ROW = {"loan_key": "K", "patron_id": "P", "loan_date": 20260210, "due_date": 20260303}


def loan(codes, **columns):
    return parse_row({**ROW, **columns}, codes)


@pytest.mark.parametrize(
    ("statuses", "types", "status", "kind", "unknown"),
    [
        (STATUSES, {}, "01", None, ()),
        (STATUSES, {}, "99", None, ((S, "99"),)),
        (STATUSES, {}, " 99 ", "EX", ((S, "99"),)),  # no type has a meaning here
        (STATUSES, {}, 1, None, ((S, "1"),)),  # a number has lost its zero
        (STATUSES, {}, None, None, ((S, ""),)),  # the column is gone, or the reader has none
        (STATUSES, TYPES, "01", "ZZ", ()),  # nobody looks at the type
        (STATUSES, TYPES, "99", "EX", ()),  # the type says it
        (STATUSES, TYPES, None, "EX", ()),
        (STATUSES, TYPES, "99", "ZZ", ((S, "99"), (T, "ZZ"))),
        (STATUSES, TYPES, "99", None, ((S, "99"),)),
        (STATUSES, TYPES, None, None, ((S, ""),)),
        ({}, TYPES, "99", "ZZ", ((T, "ZZ"),)),
        ({}, TYPES, "99", None, ((T, ""),)),
        ({}, {}, "99", "ZZ", ()),  # the library tells nobody apart
    ],
)
def test_status_and_type(statuses, types, status, kind, unknown):
    codes = CodeMapping(patron_status=statuses, patron_type=types)
    found = loan(codes, patron_status=status, patron_type=kind)
    assert found.remarks.unknown == unknown
    if unknown:
        assert found.patron.category is PatronCategory.OTHER


@pytest.mark.parametrize("category", PatronCategory)
def test_the_library_says_what_an_unknown_code_is(category):
    codes = CodeMapping(patron_status=STATUSES, unknown_category=category)
    assert loan(codes, patron_status="99").patron.category is category
    assert loan(codes, patron_status=None).patron.category is category
    assert loan(codes, patron_status="01").patron.category is PatronCategory.STUDENT


@pytest.mark.parametrize(
    ("branches", "branch", "unknown"),
    [
        ((), "BUX", ()),
        (("BUDRT",), "BUDRT  ", ()),
        (("BUDRT",), "budrt", ((B, "budrt"),)),
        (("BUDRT",), "BUX", ((B, "BUX"),)),
        (("BUDRT",), None, ((B, ""),)),
    ],
)
def test_a_branch(branches, branch, unknown):
    assert loan(CodeMapping(branches=frozenset(branches)), branch=branch).remarks.unknown == unknown


@pytest.mark.parametrize(
    ("code", "language", "unknown"),
    [
        ("FRE", "fr", ()),
        ("fr_FR", "fr", ()),
        ("pt-BR", "pt", ()),
        (None, "fr", ()),
        ("default", "fr", ()),  # Koha
        ("und", "fr", ()),
        ("OCI", "fr", ((L, "OCI"),)),
        ("1", "fr", ((L, "1"),)),
        ("anglais", "en", ()),  # the site's own
        ("Anglais", "fr", ((L, "Anglais"),)),
    ],
)
def test_a_language(code, language, unknown):
    found = loan(CodeMapping(languages={"anglais": "en"}), language=code)
    assert (found.patron.language, found.remarks.unknown) == (language, unknown)


def test_every_unknown_code_of_a_row_is_told():
    codes = CodeMapping(patron_status=STATUSES, patron_type=TYPES, branches=frozenset({"BUDRT"}))
    found = loan(codes, patron_status="99", patron_type="ZZ", branch="BUX", language="OCI")
    assert found.remarks.unknown == ((S, "99"), (T, "ZZ"), (B, "BUX"), (L, "OCI"))
