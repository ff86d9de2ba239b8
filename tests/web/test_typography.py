"""No page lets a line begin with : ; ! ? or »; what a form sends back is as it was typed."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tests.scenes.disputed_loan import a_whole_story
from tests.web.client import browsing, calls, routes

BROKEN = re.compile("[^\\S\N{NO-BREAK SPACE}][:;!?»]|« ")
AS_SENT = ("pre", "textarea", "style")
READ = frozenset({"aria-label", "title", "alt", "placeholder", "data-label"})


class Words(HTMLParser):
    """What a person reads or hears of a page, but what stands there as it was sent."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self._as_sent = 0
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self._as_sent += tag in AS_SENT
        self.said += [value for name, value in attributes if name in READ]

    def handle_endtag(self, tag):
        self._as_sent -= tag in AS_SENT

    def handle_data(self, data):
        if not self._as_sent:
            self.said.append(data.strip())


def read(answer) -> list[str]:
    return Words(answer.content.decode()).said


def test_no_page_breaks_a_line_before_a_double_sign(ledger, installed):
    a_whole_story(ledger)
    asked = sorted({path for route in routes() for method, path in calls(route) if method == "GET"})
    with browsing() as client:
        answers = {path: client.get(path) for path in [*asked, "/nulle-part"]}
        pages = {
            path: answer for path, answer in answers.items() if "text/html" in answer.headers.get("content-type", "")
        }
        pages["search"] = client.post("/lecteurs", data={"recherche": "zoé : absente ?"})
    assert len(pages) > 20
    broken = {(path, words) for path, answer in pages.items() for words in read(answer) if BROKEN.search(words)}
    assert not broken
    assert any("\N{NO-BREAK SPACE}:" in words for answer in pages.values() for words in read(answer))


def test_what_was_typed_is_sent_back_as_it_was(ledger, installed):
    with browsing() as client:
        page = client.post("/lecteurs", data={"recherche": "zoé : absente ?"}).content.decode()
    assert 'value="zoé : absente ?"' in page
    assert "zoé\N{NO-BREAK SPACE}: absente\N{NO-BREAK SPACE}?" in page
