"""What a reader gets by e-mail: words that are true today, data shown as it is, and headers nobody can add to."""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loan_reminders.domain.errors import RecipientError, SettingsError
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.stages import Channel
from loan_reminders.rendering.email.lines import TITLE_LENGTH, cut
from tests.scenes.builders import DUE_DATE, a_delivery, a_loan, a_patron
from tests.scenes.rendered_emails import RENDERER, WRITTEN_AT, a_renderer, body, read


def named_to(delivery: Delivery) -> str:
    """The reader's name in the To header, decoded by RFC 2047: blanks between two encoded words do not count."""
    message = message_from_bytes(RENDERER.render(delivery, today=DUE_DATE).content)
    name, address = parseaddr(message["To"])
    assert address == "camille.martin@etu.example.fr"
    return str(make_header(decode_header(name)))


@pytest.mark.parametrize(
    "name",
    ["O'Brien, Jo", 'Jo "Jo" Dupont', "Zoé", "=?utf-8?q?x?=", "A" * 200, "مريم" * 30, "Zoé " * 40 + "x", "红楼梦" * 20],
)
def test_the_reader_is_named_in_the_header(name: str) -> None:
    assert named_to(a_delivery(patron=a_patron(name=name))) == name


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Eve\r\nBcc: tous@x.fr", "Titre"),
        ("Eve\nBcc: tous@x.fr\n\nCoucou", "Titre"),
        ("Eve\u2028Bcc: tous@x.fr", "Titre\r\nBcc: tous@x.fr"),
        ("Eve\x00\x1b[2J\ud800\udfff", "Ti\x00tre\ud83d\r\n.\r\nRSET\r\n"),
        ("> <tous@x.fr>, Eve", "--=_boundary"),
    ],
)
def test_no_header_and_no_recipient_can_be_smuggled_in(name: str, title: str) -> None:
    loan = a_loan(title=title, patron=a_patron(name=name))
    message = read(a_delivery(loans=(loan,)))
    assert message["Bcc"] is None
    assert len(message["To"].addresses) == 1
    assert message["To"].addresses[0].addr_spec == "camille.martin@etu.example.fr"
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    for kind in ("plain", "html"):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\ud800-\udfff]", body(message, kind))


@given(name=st.text(max_size=120), title=st.text(max_size=200), branch=st.text(max_size=20))
def test_the_standard_parser_reads_back_what_the_ils_holds(name: str, title: str, branch: str) -> None:
    loan = a_loan(title=title, branch=branch, patron=a_patron(name=name))
    message = read(a_delivery(loans=(loan,)))
    assert set(message.keys()) == {
        "From", "Reply-To", "Date", "Auto-Submitted", "To", "Subject", "Message-ID", "Content-Language",
        "MIME-Version", "Content-Type",
    }  # fmt: skip
    shown = re.sub("[\ud800-\udfff]", "\ufffd", re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", title)).strip()
    assert f"- {cut(shown, TITLE_LENGTH) or 'Document sans titre'}\n" in body(message)
    (to,) = message["To"].addresses
    assert to.addr_spec == "camille.martin@etu.example.fr"
    expected = re.sub("[\ud800-\udfff]", "\ufffd", re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", name))
    assert "".join(to.display_name.split()) == "".join(expected.split())
    assert named_to(a_delivery(patron=a_patron(name=name))) == " ".join(expected.split())


def test_the_headers_of_an_automatic_message() -> None:
    delivery_id = uuid.UUID("00000000-0000-4000-8000-000000000001")
    message = read(a_delivery(delivery_id=delivery_id))
    (sender,) = message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Bibliothèque universitaire, prêt", "relances@bu.example.fr")
    assert message["Reply-To"].addresses[0].addr_spec == "prets@bu.example.fr"
    assert message["Message-ID"] == f"<{delivery_id}@bu.example.fr>"
    assert message["Date"].datetime == WRITTEN_AT
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "fr"


def test_the_same_delivery_gives_the_same_bytes() -> None:
    delivery = a_delivery()
    first, second = (a_renderer().render(delivery, today=date(2026, 11, 27)) for _ in range(2))
    assert first == second
    assert first.message_id.encode() in first.content


@pytest.mark.parametrize(
    "title", ["{{ 7 * 7 }}", "{% include 'x' %}", "红楼梦 📚", "ألف ليلة", "L'« âme » & l'\"œuvre\""]
)
def test_data_is_shown_as_it_is(title: str) -> None:
    assert f"- {title}\n" in body(read(a_delivery(loans=(a_loan(title=title),))))


def test_data_is_never_markup() -> None:
    loan = a_loan(
        title="<script>alert(1)</script>",
        author='"><img src=x>',
        call_number="<b>",
        branch="<i>",
        patron=a_patron(name="<a href=//x>"),
    )
    html = body(read(a_delivery(loans=(loan,))), "html")
    for tag in ("<script", "<img", "<b>", "<i>", "<a href=//x"):
        assert tag not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


@pytest.mark.parametrize(
    ("setting", "header", "post"),
    [
        ("", None, None),
        ("mailto:stop@bu.example.fr?subject=stop", "<mailto:stop@bu.example.fr?subject=stop>", None),
        ("https://bu.example.fr/stop/{delivery}", "<https://bu.example.fr/stop/{delivery}>", "One-Click"),
        ("https://bu.example.fr/é>\r\nBcc:x", "<https://bu.example.fr/%C3%A9%3E%0D%0ABcc:x>", "One-Click"),
    ],
)
def test_unsubscribing_only_where_the_library_offers_it(setting: str, header: str | None, post: str | None) -> None:
    delivery = a_delivery()
    message = read(delivery, renderer=a_renderer(list_unsubscribe=setting))
    expected = header.replace("{delivery}", str(delivery.delivery_id)) if header else None
    assert message["List-Unsubscribe"] == expected
    assert message["List-Unsubscribe-Post"] == (f"List-Unsubscribe={post}" if post else None)
    assert message["Bcc"] is None


@pytest.mark.parametrize("name", ["Zoé " * 50, "مريم " * 60, "A" * 10_000, "👩‍💻" * 100, "红楼梦" * 50])
def test_header_lines_are_folded(name: str) -> None:
    content = RENDERER.render(a_delivery(patron=a_patron(name=name)), today=DUE_DATE).content
    assert max(map(len, content.partition(b"\r\n\r\n")[0].split(b"\r\n"))) <= 78


def test_a_delivery_by_another_channel_is_refused() -> None:
    with pytest.raises(RecipientError):
        RENDERER.render(a_delivery(channel=Channel.SMS), today=DUE_DATE)


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": "Bibliothèque"},
        {"reply_to": "x@y\r\nBcc: z@z.fr"},
        {"message_id_domain": "a b"},
        {"clock": lambda: datetime(2026, 1, 1)},
        {"list_unsubscribe": "http://bu.example.fr/stop"},
    ],
)
def test_settings_that_cannot_go_into_a_header(changes: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        a_renderer(**changes)
