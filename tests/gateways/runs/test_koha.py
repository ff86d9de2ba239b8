"""Koha on a real MariaDB: what its tables hold when somebody erred, and what its preferences change."""

from __future__ import annotations

from datetime import date

import pytest

from loan_reminders.domain.loans import Loan, RejectedRow
from loan_reminders.domain.states import Refusal
from sql.demo.systems.koha import LOST
from tests.scenes.library_systems import KOHA, asked_by_name, connection_to, database_of

DUE = date(2026, 3, 3)
READER = {
    "cardnumber": None, "surname": "Martin", "firstname": "Camille", "streetnumber": "3", "streettype": None,
    "address": "rue des Platanes", "address2": "", "city": "MONTCLAR", "zipcode": "34999", "country": "",
    "email": "camille@etu.example.org", "emailpro": None, "phone": "", "mobile": "06 00 00 12 01", "phonepro": None,
    "B_streetnumber": None, "B_streettype": None, "B_address": None, "B_address2": None, "B_city": None,
    "B_zipcode": None, "B_country": None, "B_email": None, "B_phone": None, "smsalertnumber": "", "lang": "default",
    "categorycode": "ETU", "branchcode": "BULET", "sort1": None, "sort2": None, "dateexpiry": None, "debarred": None,
    "gonenoaddress": None, "lost": None,
}  # fmt: skip
ITEM = {
    "biblionumber": 1, "biblioitemnumber": 1, "barcode": None, "itemcallnumber": "843 PRO", "homebranch": "BUDRT",
    "holdingbranch": "BUSCI", "itemlost": 0, "price": None, "replacementprice": "25.00", "enumchron": None,
    "itype": "LIVRE",
}  # fmt: skip
ISSUE = {
    "date_due": "2026-03-03 23:59:00", "branchcode": "BULET", "returndate": None, "renewals_count": 0,
    "timestamp": "2026-02-02 08:00:00", "issuedate": "2026-02-10 11:00:00", "onsite_checkout": 0,
}  # fmt: skip
MOVED = {"address": " ", "city": None, "zipcode": None, "streetnumber": None}
SECOND = {"B_streetnumber": "8", "B_streettype": "BD", "B_address": "Arceaux", "B_city": "VAL-D'ORB",
          "B_zipcode": "30999"}  # fmt: skip
OTHER = {"B_email": "b@courriel.example", "emailpro": "camille@univ.example.org"}

LOANS = {
    # the loan
    "hourly": {"issue": {"date_due": "2026-03-03 14:00:00"}},
    "midnight": {"issue": {"date_due": "2026-03-03 00:00:00"}},
    "next day at midnight": {"issue": {"date_due": "2026-03-04 00:00:00"}},
    "no due date": {"issue": {"date_due": None}},
    "zero due date": {"issue": {"date_due": "0000-00-00 00:00:00"}},
    "zero loan date": {"issue": {"issuedate": "0000-00-00 00:00:00"}},
    "no loan date": {"issue": {"issuedate": None}},
    "returned": {"issue": {"returndate": "2026-03-01 10:00:00"}},
    "on site": {"issue": {"onsite_checkout": 1}},
    "lent nowhere": {"issue": {"branchcode": None}},
    # the item and its record
    "lost": {"item": {"itemlost": LOST}},
    "late for long": {"item": {"itemlost": 2}},
    "claimed": {"claim": {"resolved_on": None}},
    "claim settled": {"claim": {"resolved_on": "2026-02-20 09:00:00"}},
    "item deleted": {"item": None},
    "record deleted": {"item": {"biblionumber": 99}},
    "no barcode": {"item": {"barcode": None}},
    "non-sorting signs": {"item": {"biblionumber": 2, "biblioitemnumber": 2}},
    "price of nothing": {"item": {"replacementprice": "0.00", "price": "12.50"}},
    "price of its type": {"item": {"replacementprice": None, "itype": "REVUE"}},
    "type of the record": {"item": {"replacementprice": None, "itype": None, "biblioitemnumber": 2}},
    "volume": {"item": {"enumchron": " "}},
    # the reader
    "reader deleted": {"reader": None},
    "no name": {"reader": {"surname": None, "firstname": ""}},
    "organisation": {"reader": {"surname": "Association des Amis du livre", "firstname": ""}},
    "empty e-mail": {"reader": {"email": "", **OTHER}},
    "blank e-mails": {"reader": {"email": " ", "emailpro": "", "B_email": None}},
    "two e-mails": {"reader": {"email": "@faux; camille.m@etu.example.org, c@courriel.example"}},
    "several phones": {"reader": {"smsalertnumber": "04 65 71 00 01", "mobile": "06 00 00 12 02",
                                  "B_phone": "06 00 00 12 03"}},
    "phone of the office": {"reader": {"mobile": "", "phonepro": "06 00 00 12 04"}},
    "letters come back": {"reader": {"gonenoaddress": 1, **SECOND}},
    "blocked": {"reader": {"debarred": "2099-12-31", "dateexpiry": "2020-01-01", "lost": 1}},
    "kind of street": {"reader": {"streettype": "AV", "address": "des Lilas"}},
    "kind of street in words": {"reader": {"streettype": "quai", "address": "des Tanneurs"}},
    "second address alone": {"reader": {**MOVED, **SECOND}},
    "two addresses": {"reader": SECOND},
    "english": {"reader": {"lang": "en"}},
    "staff": {"reader": {"categorycode": "BIB"}},
    "box never touched": {"reader": {"categorycode": "INT"}},
    "second code": {"reader": {"categorycode": "AUTRE", "sort1": "01", "sort2": "20"}},
}  # fmt: skip
"""Each loan by what is odd in it; what is not said is ordinary. None: the row is missing."""
NUMBERS = {name: number for number, name in enumerate(LOANS, start=101)}
NOT_LISTED = {"next day at midnight", "no due date", "zero due date", "returned", "on site", "lost", "late for long",
              "claimed", "staff", "box never touched"}  # fmt: skip


def rows():
    tables = {
        "categories": [{"categorycode": code, "overduenoticerequired": box}
                       for code, box in (("ETU", 1), ("AUTRE", 1), ("BIB", 0), ("INT", None))],
        "itemtypes": [{"itemtype": "LIVRE", "defaultreplacecost": None},
                      {"itemtype": "REVUE", "defaultreplacecost": "7.500000"}],
        "authorised_values": [{"category": "ROADTYPE", "authorised_value": code, "lib": words}
                              for code, words in (("AV", "avenue"), ("BD", "boulevard"), ("BD", "boulevard"))],
        "biblio": [{"biblionumber": 1, "title": "Le livre qui manque", "author": "Paul", "part_number": "t. 4"},
                   {"biblionumber": 2, "title": "\x88Les \x89misérables", "author": "Hugo", "part_number": None}],
        "biblioitems": [{"biblioitemnumber": 1, "biblionumber": 1, "itemtype": "REVUE"},
                        {"biblioitemnumber": 2, "biblionumber": 2, "itemtype": "REVUE"}],
        "borrowers": [], "items": [], "issues": [], "return_claims": [],
    }  # fmt: skip
    for name, odd in LOANS.items():
        number = NUMBERS[name]
        if odd.get("reader", {}) is not None:
            tables["borrowers"].append({"borrowernumber": number, **READER, **odd.get("reader", {})})
        if odd.get("item", {}) is not None:
            tables["items"].append({"itemnumber": number, **ITEM, **odd.get("item", {})})
        if "claim" in odd:
            tables["return_claims"].append({"itemnumber": number, "issue_id": number, **odd["claim"]})
        keys = {"issue_id": number, "borrowernumber": number, "itemnumber": number}
        tables["issues"].append({**keys, **ISSUE, **odd.get("issue", {})})
    return tables


@pytest.fixture(scope="module")
def database(mariadb_server):
    with database_of(KOHA, mariadb_server, rows()) as opened:
        yield opened


@pytest.fixture(scope="module")
def ask(database):
    names = {str(number): name for name, number in NUMBERS.items()}
    return asked_by_name(KOHA, database, names, due=DUE)


def test_what_is_reminded_of_and_what_is_not(ask):
    assert LOANS.keys() - ask().keys() == NOT_LISTED
    assert ask(date(2026, 3, 4)).keys() == {"next day at midnight"}
    assert all(loan.due_date == DUE for loan in ask().values() if isinstance(loan, Loan))


def test_a_loan_without_a_date_has_that_of_its_last_touch_and_one_of_zeros_is_set_aside(ask):
    assert ask()["no loan date"].loan_date == date(2026, 2, 2)
    rejected = ask()["zero loan date"]
    assert isinstance(rejected, RejectedRow)
    assert (rejected.code, rejected.column) == ("missing", "loan_date")


@pytest.mark.parametrize(
    ("settings", "more"),
    [
        ({"on_site_loans": True}, {"on site"}),
        ({"lost_codes_told": ["2"]}, {"late for long"}),
        ({"overdue_notice_required": False}, {"staff", "box never touched"}),
    ],
)
def test_a_setting_brings_loans_back(ask, settings, more):
    assert ask(**settings).keys() - ask().keys() == more
    assert ask().keys() <= ask(**settings).keys()


def test_categories_of_the_site_are_left_out(ask):
    assert ask().keys() - ask(categories_left_out=["AUTRE", "X"]).keys() == {"second code"}
    assert ask(categories_left_out=["ETU"]).keys() == {"second code", "reader deleted"}


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [
        ("hourly", "length_days", 21),
        ("item deleted", "title", ""),
        ("item deleted", "branch", "BULET"),
        ("item deleted", "price_text", ""),
        ("record deleted", "title", ""),
        ("record deleted", "call_number", "843 PRO"),
        ("non-sorting signs", "title", "Les misérables"),
        ("non-sorting signs", "volume", ""),
        ("no barcode", "item_barcode", ""),
        ("lent nowhere", "branch", "BUSCI"),
        ("hourly", "price_text", "25.00"),
        ("price of nothing", "price_text", "12.50"),
        ("price of its type", "price_text", "7.50"),
        ("type of the record", "price_text", "7.50"),
        ("type of the record", "item_status", "REVUE"),
        ("hourly", "item_status", "LIVRE"),
        ("volume", "volume", "t. 4"),
    ],
)
def test_a_document(ask, name, column, expected):
    assert getattr(ask()[name], column) == expected


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [
        ("reader deleted", "name", ""),
        ("reader deleted", "email", Refusal.MISSING),
        ("no name", "name", ""),
        ("organisation", "name", "Association des Amis du livre"),
        ("english", "language", "en"),
        ("hourly", "language", "fr"),
        ("second code", "category", "other"),
    ],
)
def test_a_reader(ask, name, column, expected):
    assert getattr(ask()[name].patron, column) == expected


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("empty e-mail", {}, "camille@univ.example.org"),
        ("empty e-mail", {"email_order": ["B_email", "email"]}, "b@courriel.example"),
        ("empty e-mail", {"email_order": ["email"]}, None),
        ("hourly", {"email_order": ["emailpro", "email"]}, "camille@etu.example.org"),
        ("hourly", {"email_order": ["emailpro"]}, None),
        ("blank e-mails", {}, None),
        ("two e-mails", {}, "camille.m@etu.example.org"),
        ("letters come back", {}, "camille@etu.example.org"),
    ],
)
def test_an_email_address_by_the_preference_of_the_site(ask, name, settings, expected):
    email = ask(**settings)[name].patron.email
    assert email == Refusal.MISSING if expected is None else email.value == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("several phones", "33600001202"), ("phone of the office", "33600001204"), ("hourly", "33600001201")],
)
def test_a_mobile_number(ask, name, expected):
    assert ask()[name].patron.mobile.value == expected


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("hourly", {}, ("3 RUE DES PLATANES", "34999 MONTCLAR")),
        ("blocked", {}, ("3 RUE DES PLATANES", "34999 MONTCLAR")),
        ("kind of street", {}, ("3 AVENUE DES LILAS", "34999 MONTCLAR")),
        ("kind of street in words", {}, ("3 QUAI DES TANNEURS", "34999 MONTCLAR")),
        ("second address alone", {}, ("8 BOULEVARD ARCEAUX", "30999 VAL D ORB")),
        ("second address alone", {"alternative_address": "before"}, ("8 BOULEVARD ARCEAUX", "30999 VAL D ORB")),
        ("second address alone", {"alternative_address": "never"}, None),
        ("two addresses", {}, ("3 RUE DES PLATANES", "34999 MONTCLAR")),
        ("two addresses", {"alternative_address": "before"}, ("8 BOULEVARD ARCEAUX", "30999 VAL D ORB")),
        ("two addresses", {"alternative_address": "never"}, ("3 RUE DES PLATANES", "34999 MONTCLAR")),
        ("letters come back", {}, None),
        ("letters come back", {"alternative_address": "before"}, None),
    ],
)
def test_a_postal_address_whole_or_none(ask, name, settings, expected):
    address = ask(**settings)[name].patron.address
    if expected is None:
        assert address == Refusal.MISSING
    else:
        assert address.lines[-2:] == expected


@pytest.mark.parametrize(("branch", "expected"), [("lending", "BULET"), ("item", "BUDRT"), ("patron", "BULET")])
def test_the_branch_that_counts(ask, branch, expected):
    assert ask(branch=branch)["hourly"].branch == expected


def test_a_loan_is_asked_about_again_before_anything_is_sent(mariadb_server):
    with database_of(KOHA, mariadb_server, rows()) as opened:
        source = KOHA.source(opened)
        asked = {name: str(NUMBERS[name]) for name in ("hourly", "midnight", "lost", "claimed", "volume", "english")}
        assert source.due_dates_now(list(asked.values())) == dict.fromkeys(
            (asked[name] for name in ("hourly", "midnight", "volume", "english")), DUE
        )
        with connection_to(KOHA, mariadb_server, opened.name) as connection, connection.cursor() as cursor:
            for statement in (
                f"UPDATE issues SET date_due = '2026-03-24 23:59:00' WHERE issue_id = {asked['hourly']}",
                f"DELETE FROM issues WHERE issue_id = {asked['midnight']}",
                f"UPDATE items SET itemlost = 1 WHERE itemnumber = {asked['volume']}",
            ):
                cursor.execute(statement)
        assert source.due_dates_now(list(asked.values())) == {asked["hourly"]: date(2026, 3, 24), asked["english"]: DUE}
        there = source.on_loan_now(list(asked.values()))
        assert there.keys() == {asked[name] for name in ("hourly", "lost", "claimed", "volume", "english")}
