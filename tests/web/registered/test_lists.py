"""The list of registered letters of one state: its order and its pages."""

from __future__ import annotations

import html

import pytest

from tests.scenes.ledger_registered import in_a_batch
from tests.web.client import browsing

pytestmark = pytest.mark.usefixtures("installed")


def shown(client, **asked):
    """The references that the list shows in their order, and the page."""
    page = html.unescape(client.get("/recommandes", params=asked).text)
    table = page.split('aria-label="Lettres trouvées"')[1].split("</table>")[0]
    lines = table.split('<th scope="row"')[1:]
    return [line.split("</a>")[0].rpartition(">")[2] for line in lines], page


def test_the_letters_of_a_state_come_fifty_a_page_in_both_orders(ledger):
    in_a_batch(ledger, 52)
    with browsing() as client:
        newest, page = shown(client, etat="printed")
        assert (len(newest), "etat=printed&page=2" in page) == (50, True)
        rest, _ = shown(client, etat="printed", page=2)
        assert (len(rest), set(rest) & set(newest)) == (2, set())
        oldest, page = shown(client, etat="printed", tri="jour")
        assert (oldest[:2], "tri=jour" in page.split("page=2")[0].rpartition("<a")[2]) == ([*reversed(rest)], True)
        turned, _ = shown(client, etat="printed", tri="jour", page=2)
        assert [*oldest, *turned] == [*reversed([*newest, *rest])]
        assert shown(client, etat="numbered")[0] == []
