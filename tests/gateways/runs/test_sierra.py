"""Sierra on a real PostgreSQL: what its records hold when somebody erred, and what a site's own codes change."""

from __future__ import annotations

from datetime import date

import pytest

from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.domain.states import Refusal
from tests.scenes.library_systems import SIERRA, asked_by_name, connection_to, database_of

DUE = date(2026, 3, 3)
PATRON, ITEM, BIB = 481_000_000_000, 450_000_000_000, 420_000_000_000
CHECKOUT = {"due_gmt": "2026-03-03 04:00:00+01", "loanrule_code_num": 1, "checkout_gmt": "2026-02-10 11:00:00+01",
            "renewal_count": 0}  # fmt: skip
RECORD = {"ptype_code": 1, "pcode1": "-", "pcode2": "e", "pcode3": 10, "pcode4": 20, "iii_language_pref_code": "fre"}
COPY = {"location_code": "bud", "item_status_code": "-", "price": "25.000000", "checkout_statistic_group_code_num": 7}
HOME = {"patron_record_address_type_id": 1, "display_order": 0, "addr1": "3 rue des Platanes", "addr2": None,
        "city": "MONTCLAR", "postal_code": "34999"}  # fmt: skip
AWAY = HOME | {"patron_record_address_type_id": 2, "addr1": "8 boulevard Arceaux"}
LABEL = {"barcode": "3001", "call_number": "|a843 |bPRO"}
NAME = {"display_order": 0, "last_name": "Martin", "first_name": "Camille"}
MAIL = [("z", 0, "camille@etu.example.org")]
TITLES = [("Le livre qui manque", "Personne, Paul", 0)]

LOANS = {
    # the checkout
    "hourly": {"checkout": {"due_gmt": "2026-03-03 14:00:00+01"}},
    "first minute": {"checkout": {"due_gmt": "2026-03-03 00:00:00+01"}},
    "last minute": {"checkout": {"due_gmt": "2026-03-03 22:59:00+00"}},
    "next day in Paris": {"checkout": {"due_gmt": "2026-03-03 23:00:00+00"}},
    "no due date": {"checkout": {"due_gmt": None}},
    "no loan date": {"checkout": {"checkout_gmt": None}},
    "lent at night": {"checkout": {"checkout_gmt": "2026-02-09 23:30:00+00"}},
    "equipment": {"checkout": {"loanrule_code_num": 42}},
    # the item and its records
    "billed": {"item": {"item_status_code": "n"}},
    "claimed": {"item": {"item_status_code": "z"}},
    "paid": {"item": {"item_status_code": "$"}},
    "missing": {"item": {"item_status_code": "m"}},
    "of a partner": {"campus": "autre"},
    "item deleted": {"item": None, "label": None, "titles": []},
    "no record": {"titles": []},
    "bound together": {"titles": [("Second relié", "B", 1), ("Premier relié", "A", 0)]},
    "two labels": {"label": [LABEL, LABEL | {"barcode": "3002"}]},
    "free": {"item": {"price": "0.000000"}},
    "dear": {"item": {"price": "12.500000"}},
    "no desk": {"item": {"checkout_statistic_group_code_num": None}},
    "non-sorting signs": {"titles": [("\x88Les \x89misérables", None, 0)]},
    "volume": {"of_item": [("v", 1, "t. 2"), ("v", 0, "t. 1"), ("b", 0, "x")]},
    # the reader
    "reader deleted": {"reader": None, "names": [], "homes": [], "fields": []},
    "no name": {"names": [NAME | {"last_name": "", "first_name": None}]},
    "two names": {"names": [NAME | {"display_order": 1, "last_name": "Dupont"}, NAME]},
    "organisation": {"names": [NAME | {"last_name": "Amis du livre", "first_name": ""}]},
    "two e-mail fields": {"fields": [("z", 1, "second@courriel.example"), ("z", 0, "first@courriel.example")]},
    "two e-mails in one": {"fields": [("z", 0, "@faux, camille.m@etu.example.org,c@courriel.example")]},
    "blank e-mail": {"fields": [("z", 0, " "), ("z", 1, "second@courriel.example")]},
    "no e-mail": {"fields": [("b", 0, "2001"), ("b", 1, "2002")]},
    "several phones": {"phones": [("t", 0, "04 65 71 00 01"), ("p", 0, "06 00 00 12 02"), ("o", 1, "06 00 00 12 03"),
                                  ("o", 0, "06 00 00 12 04")]},
    "empty mobile": {"phones": [("o", 0, ""), ("t", 0, "06 00 00 12 05")]},
    "two addresses": {"homes": [AWAY, HOME]},
    "second address alone": {"homes": [HOME | {"addr1": "", "city": " "}, AWAY]},
    "town in the lines": {"homes": [HOME | {"city": "", "postal_code": None, "addr2": "34999 MONTCLAR"}]},
    "english": {"reader": {"iii_language_pref_code": "eng"}},
    "staff": {"reader": {"ptype_code": 10}},
    "unknown type": {"reader": {"ptype_code": 99}},
}  # fmt: skip
"""Each loan by what is odd in it; what is not said is ordinary. None: the row is missing."""
NUMBERS = {name: number for number, name in enumerate(LOANS, start=101)}
NOT_LISTED = {"next day in Paris", "no due date", "billed", "claimed", "paid"}
TYPES = {"t": 1, "p": 2, "o": 3}


def rows():
    names = ("checkout", "record_metadata", "patron_record", "patron_record_fullname", "patron_record_address",
             "patron_record_phone", "varfield", "item_record", "item_record_property",
             "bib_record_item_record_link", "bib_record_property")  # fmt: skip
    tables = {name: [] for name in names}
    tables["patron_record_phone_type"] = [{"id": number, "code": code} for code, number in TYPES.items()]
    tables["statistic_group"] = [{"code_num": 7, "location_code": "lent"}, {"code_num": 7, "location_code": "lent"}]
    for name, odd in LOANS.items():
        add(tables, NUMBERS[name], odd)
    return {f"sierra_view.{name}": found for name, found in tables.items()}


def add(tables, number, odd):
    patron, item = PATRON + number, ITEM + number
    ids = {"id": number, "patron_record_id": patron, "item_record_id": item}
    tables["checkout"].append({**ids, **CHECKOUT, **odd.get("checkout", {})})
    if odd.get("reader", {}) is not None:
        tables["patron_record"].append({"id": patron, **RECORD, **odd.get("reader", {})})
        tables["record_metadata"].append({"id": patron, "record_num": 7000 + number, "campus_code": ""})
    if odd.get("item", {}) is not None:
        tables["item_record"].append({"id": item, **COPY, **odd.get("item", {})})
        tables["record_metadata"].append({"id": item, "record_num": number, "campus_code": odd.get("campus", "")})
    owned = {"patron_record_id": patron}
    tables["patron_record_fullname"] += [owned | row for row in odd.get("names", [NAME])]
    tables["patron_record_address"] += [owned | row for row in odd.get("homes", [HOME])]
    for code, order, phone in odd.get("phones", [("o", 0, "06 00 00 12 01")]):
        tables["patron_record_phone"].append(
            owned | {"patron_record_phone_type_id": TYPES[code], "display_order": order, "phone_number": phone}
        )
    fields = [(patron, *field) for field in odd.get("fields", MAIL)]
    fields += [(item, *field) for field in odd.get("of_item", [])]
    for record, code, place, content in fields:
        tables["varfield"].append(
            {"record_id": record, "varfield_type_code": code, "occ_num": place, "field_content": content}
        )
    labels = odd.get("label", [LABEL]) or []
    tables["item_record_property"] += [{"item_record_id": item} | row for row in labels]
    for title, author, order in odd.get("titles", TITLES):
        bib = BIB + len(tables["bib_record_property"])
        tables["bib_record_property"].append({"bib_record_id": bib, "best_title": title, "best_author": author})
        tables["bib_record_item_record_link"].append(
            {"bib_record_id": bib, "item_record_id": item, "bibs_display_order": order}
        )


@pytest.fixture(scope="module")
def database(postgres_server):
    with database_of(SIERRA, postgres_server, rows()) as opened:
        yield opened


@pytest.fixture(scope="module")
def ask(database):
    names = {str(number): name for name, number in NUMBERS.items()}
    return asked_by_name(SIERRA, database, names, due=DUE)


def test_what_is_reminded_of_and_what_is_not(ask):
    assert LOANS.keys() - ask().keys() == NOT_LISTED
    assert ask(date(2026, 3, 4)).keys() == {"next day in Paris"}
    assert all(loan.due_date == DUE for loan in ask().values() if isinstance(loan, Loan))


def test_moments_are_of_the_day_they_are_in_the_library(ask):
    assert ask()["lent at night"].loan_date == date(2026, 2, 10)


def test_a_loan_without_a_date_is_set_aside(ask):
    rejected = ask()["no loan date"]
    assert isinstance(rejected, RejectedRow)
    assert (rejected.code, rejected.column) == ("missing", "loan_date")


@pytest.mark.parametrize(
    ("settings", "out"),
    [
        ({"lost_statuses": ["n", "z", "$", "m"]}, {"missing"}),
        ({"patron_types_left_out": ["10", "99"]}, {"staff", "unknown type"}),
        ({"loan_rules_left_out": ["42"]}, {"equipment"}),
        ({"partner_items": False}, {"of a partner"}),
    ],
)
def test_a_setting_leaves_loans_out(ask, settings, out):
    assert ask().keys() - ask(**settings).keys() == out


def test_a_status_that_the_site_does_not_hold_for_lost_is_reminded_of(ask):
    assert ask(lost_statuses=["n"]).keys() - ask().keys() == {"claimed", "paid"}


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [
        ("hourly", "call_number", "843 PRO"),
        ("hourly", "price_text", "25.00"),
        ("hourly", "branch", "bud"),
        ("hourly", "item_status", "-"),
        ("item deleted", "title", ""),
        ("item deleted", "branch", ""),
        ("no record", "title", ""),
        ("bound together", "title", "Premier relié"),
        ("bound together", "author", "A"),
        ("two labels", "item_barcode", "3001"),
        ("free", "price_text", ""),
        ("dear", "price_text", "12.50"),
        ("non-sorting signs", "title", "Les misérables"),
        ("volume", "volume", "t. 1"),
    ],
)
def test_a_document(ask, name, column, expected):
    assert getattr(ask()[name], column) == expected


def test_the_branch_may_be_the_one_that_lent(ask):
    assert ask(branch="lending")["hourly"].branch == "lent"
    assert ask(branch="lending")["no desk"].branch == "bud"


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [
        ("hourly", "patron_id", "7101"),
        ("reader deleted", "name", ""),
        ("reader deleted", "address", Refusal.MISSING),
        ("no name", "name", ""),
        ("two names", "name", "Camille Martin"),
        ("organisation", "name", "Amis du livre"),
        ("english", "language", "en"),
        ("staff", "category", "staff"),
        ("unknown type", "category", "other"),
        ("no e-mail", "barcode", "2001"),
        ("no e-mail", "email", Refusal.MISSING),
    ],
)
def test_a_reader(ask, name, column, expected):
    assert getattr(ask()[name].patron, column) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("two e-mail fields", "first@courriel.example"),
        ("two e-mails in one", "camille.m@etu.example.org"),
        ("blank e-mail", "second@courriel.example"),
    ],
)
def test_an_email_address(ask, name, expected):
    assert ask()[name].patron.email.value == expected


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("several phones", {}, "33600001204"),
        ("several phones", {"mobile_type": "p"}, "33600001202"),
        ("empty mobile", {}, "33600001205"),
    ],
)
def test_a_mobile_number_by_the_type_of_the_site(ask, name, settings, expected):
    assert ask(**settings)[name].patron.mobile.value == expected


@pytest.mark.parametrize(
    ("name", "settings", "street"),
    [
        ("hourly", {}, "3 RUE DES PLATANES"),
        ("two addresses", {}, "3 RUE DES PLATANES"),
        ("two addresses", {"address_type": "2"}, "8 BOULEVARD ARCEAUX"),
        ("second address alone", {}, "8 BOULEVARD ARCEAUX"),
        ("town in the lines", {}, "3 RUE DES PLATANES"),
    ],
)
def test_a_postal_address(ask, name, settings, street):
    assert ask(**settings)[name].patron.address.lines[-2:] == (street, "34999 MONTCLAR")


def test_a_loan_is_asked_about_again_before_anything_is_sent(postgres_server):
    with database_of(SIERRA, postgres_server, rows()) as opened:
        source = SIERRA.source(opened)
        renewed, returned, lost, kept = (str(NUMBERS[name]) for name in ("hourly", "no record", "dear", "english"))
        with connection_to(SIERRA, postgres_server, opened.name) as connection:
            for statement in (
                f"UPDATE sierra_view.checkout SET due_gmt = '2026-03-24 04:00:00+01' WHERE id = {renewed}",
                f"DELETE FROM sierra_view.checkout WHERE id = {returned}",
                f"UPDATE sierra_view.item_record SET item_status_code = 'n' WHERE id = {ITEM + int(lost)}",
            ):
                connection.execute(statement)
        assert source.due_dates_now([renewed, returned, lost, kept]) == {renewed: date(2026, 3, 24), kept: DUE}
        assert source.on_loan_now([renewed, returned, lost, kept]).keys() == {renewed, lost, kept}
