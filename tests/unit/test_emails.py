"""What a reader gets by e-mail: words that are true today, data shown as it is, and headers nobody can add to."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loan_reminders.domain.errors import RecipientError, SettingsError
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.rendering.emails import EmailRenderer
from loan_reminders.rendering.templates import Templates
from tests.builders import DUE_DATE, a_delivery, a_library, a_loan, a_patron, some_loans, today_for

EMAIL_STAGES = [Stage.COURTESY_NOTICE, Stage.OVERDUE_NOTICE, Stage.FIRST_REMINDER, Stage.SECOND_REMINDER]
WRITTEN_AT = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
TEMPLATES = Templates()


def a_renderer(templates: Templates = TEMPLATES, **changes: Any) -> EmailRenderer:
    values: dict[str, Any] = {
        "library": a_library(),
        "sender": "Bibliothèque universitaire, prêt <relances@bu.example.fr>",
        "reply_to": "prets@bu.example.fr",
        "message_id_domain": "bu.example.fr",
        "written_at": WRITTEN_AT,
    }
    return EmailRenderer(templates, **{**values, **changes})


RENDERER = a_renderer()


def read(delivery: Delivery, today: date | None = None, renderer: EmailRenderer = RENDERER) -> EmailMessage:
    """The e-mail as the standard library's parser reads it."""
    content = renderer.render(delivery, today=today or today_for(delivery.notice.stage)).content
    assert content.isascii()
    assert content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r")
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not any(part.defects for part in message.walk())
    return message


def body(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


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
    assert (shown or "Document sans titre") in body(message)
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
    ("stage", "days", "said", "not_said"),
    [
        (Stage.OVERDUE_NOTICE, 1, "hier, jeudi 26 novembre 2026", "le jeudi 26"),
        (Stage.OVERDUE_NOTICE, 2, "le jeudi 26 novembre 2026", "hier"),
        (Stage.COURTESY_NOTICE, -2, "le jeudi 26 novembre 2026", "demain"),
        (Stage.COURTESY_NOTICE, -1, "demain, jeudi 26 novembre 2026", "le jeudi 26"),
        (Stage.COURTESY_NOTICE, 0, "aujourd'hui, jeudi 26 novembre 2026", "demain"),
        (Stage.FIRST_REMINDER, 8, "le jeudi 26 novembre 2026", "hier"),
        (Stage.SECOND_REMINDER, 15, "le jeudi 26 novembre 2026", "hier"),
    ],
)
def test_words_are_true_on_the_day_of_sending(stage: Stage, days: int, said: str, not_said: str) -> None:
    message = read(a_delivery(stage=stage), DUE_DATE + timedelta(days=days))
    everything = f"{message['Subject']}\n{body(message)}\n{body(message, 'html').replace('&#39;', chr(39))}"
    assert everything.count(said) >= 2
    assert not_said not in everything


@pytest.mark.parametrize("stage", EMAIL_STAGES)
@pytest.mark.parametrize("kind", ["plain", "html"])
def test_one_document_is_singular_and_two_are_plural(stage: Stage, kind: str) -> None:
    one, two = (body(read(a_delivery(stage=stage, loans=some_loans(count))), kind) for count in (1, 2))
    one, two = one.replace("&#39;", "'"), two.replace("&#39;", "'")
    assert "e document ci-dessous" in one
    assert "documents" not in one.lower()
    assert "Si vous l'avez rendu ou prolongé entre-temps" in one
    assert "es documents ci-dessous" in two
    assert "document ci-dessous" not in two
    assert "Si vous les avez rendus ou prolongés entre-temps" in two


@pytest.mark.parametrize(
    ("stage", "subject"),
    [
        (Stage.COURTESY_NOTICE, "2 documents à rendre le jeudi 26 novembre 2026"),
        (Stage.OVERDUE_NOTICE, "Retard : 2 documents étaient à rendre hier, jeudi 26 novembre 2026"),
        (Stage.FIRST_REMINDER, "1re relance : 2 documents en retard"),
        (Stage.SECOND_REMINDER, "2e relance : 2 documents toujours en retard"),
    ],
)
def test_subjects(stage: Stage, subject: str) -> None:
    assert read(a_delivery(stage=stage, loans=some_loans(2)))["Subject"] == subject


@pytest.mark.parametrize("stage", EMAIL_STAGES)
@pytest.mark.parametrize("kind", ["plain", "html"])
def test_every_loan_is_listed_with_what_finds_it(stage: Stage, kind: str) -> None:
    text = body(read(a_delivery(stage=stage, loans=some_loans(3))), kind).replace("&#39;", "'")
    for number in (1, 2, 3):
        assert text.count(f"Titre n° {number}") == 1
    for fact in ("Durand, Anne", "330 DUR", "BU Saint-Jean d'Angély", "jeudi 26 novembre 2026"):
        assert text.count(fact) >= 3
    for contact in ("https://bu.example.fr/compte", "onglet « Mon compte »", "04 00 00 00 00", "prets@bu.example.fr"):
        assert contact in text


def test_without_a_name_without_a_title_at_an_unknown_branch() -> None:
    loan = a_loan(title="", author="", call_number="", branch="XYZ", patron=a_patron(name=" "))
    text = body(read(a_delivery(loans=(loan,))))
    assert text.startswith("Bonjour,\n")
    assert "- Document sans titre\n  Bibliothèque : XYZ\n  Code-barres : 0935000123\n  À rendre" in text


def test_the_volume_follows_the_title() -> None:
    assert "- Histoire, T. 2\n" in body(read(a_delivery(loans=(a_loan(title="Histoire", volume="T. 2"),))))


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


@pytest.mark.parametrize("stage", EMAIL_STAGES)
def test_html_reads_on_a_phone_and_fetches_nothing(stage: Stage) -> None:
    html = body(read(a_delivery(stage=stage)), "html")
    assert '<html lang="fr">' in html
    assert 'name="viewport"' in html
    assert html.count('<th scope="col"') == 3
    assert not re.search(r"<img|<link|<script|<style|src=|url\(|@import", html)


def test_a_language_with_its_own_folder_is_used(tmp_path: Path) -> None:
    for folder, word in (("overdue_notice/email", "Bonjour"), ("overdue_notice/en/email", "Hello")):
        (tmp_path / folder).mkdir(parents=True)
        for name in ("subject.txt.j2", "body.txt.j2", "body.html.j2"):
            (tmp_path / folder / name).write_text(word + " {{ due_date | long_date(language) }}", encoding="utf-8")
    renderer = a_renderer(Templates(tmp_path))
    english = read(a_delivery(patron=a_patron(language="en")), DUE_DATE, renderer)
    assert (english["Content-Language"], english["Subject"]) == ("en", "Hello Thursday, November 26, 2026")
    german = read(a_delivery(patron=a_patron(language="de")), DUE_DATE, renderer)
    assert (german["Content-Language"], german["Subject"]) == ("fr", "Bonjour jeudi 26 novembre 2026")


def test_a_delivery_by_another_channel_is_refused() -> None:
    with pytest.raises(RecipientError):
        RENDERER.render(a_delivery(channel=Channel.SMS), today=DUE_DATE)


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": "Bibliothèque"},
        {"reply_to": "x@y\r\nBcc: z@z.fr"},
        {"message_id_domain": "a b"},
        {"written_at": datetime(2026, 1, 1)},
    ],
)
def test_settings_that_cannot_go_into_a_header(changes: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        a_renderer(**changes)
