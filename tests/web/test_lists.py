"""Lists whose order, filters and page are in the address, and lists as files."""

from __future__ import annotations

import pytest

from loan_reminders.web.lists import Order, Pages, address, asked_at, spreadsheet


def test_a_column_asked_for_again_turns_the_order():
    order = Order(column="nom", asked={"motif": "stop", "lieu": ""})
    assert order.address("nom") == "?motif=stop&tri=nom&sens=desc"
    assert order.address("date") == "?motif=stop&tri=date"
    assert Order(column="nom", descending=True).address("nom") == "?tri=nom"


@pytest.mark.parametrize(("lines", "last"), [(0, 1), (1, 1), (50, 1), (51, 2), (1000, 20)])
def test_an_empty_list_has_one_page(lines, last):
    assert Pages(number=1, lines=lines).last == last


def test_another_page_keeps_what_is_asked():
    pages = Pages(number=3, lines=500, asked={"tri": "nom", "sens": ""})
    assert (pages.offset, pages.address(4)) == (100, "?tri=nom&page=4")


def test_an_address_leaves_out_what_is_empty_and_writes_what_is_strange():
    assert address({"a": "", "b": "x & y"}) == "?b=x+%26+y"
    assert address({}) == "?"


def test_a_place_that_is_spoilt_is_none():
    assert asked_at("liste=x&page=2#anchor") == {"liste": "x", "page": "2"}
    assert asked_at("&".join(f"a{number}=1" for number in range(30))) == {}
    assert asked_at("lieu=%00&page=2") == {"page": "2"}


def test_a_file_for_a_spreadsheet_runs_nothing():
    file = spreadsheet("liste", ("nom", "avis"), [("=1+1", -2), ('@x; "y"', 3), ("Zoé", 0)])
    assert file.headers["content-disposition"] == 'attachment; filename="liste.csv"'
    assert file.body.startswith(b"\xef\xbb\xbf")
    assert file.body.decode("utf-8-sig").split("\r\n") == ["nom;avis", "'=1+1;-2", '"\'@x; ""y""";3', "Zoé;0", ""]
