"""The line of a survey in e-mails: whose, on which days, and the same for everybody."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest

from loan_reminders.domain.email.survey import Survey
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.stages import PatronCategory, Stage
from tests.scenes.builders import DUE_DATE, a_delivery, a_patron, an_email, some_loans
from tests.scenes.rendered_emails import a_renderer, body, read

LINK = "https://enquete.example.fr/relances?a=1&b=2"
TODAY = DUE_DATE + timedelta(days=1)
SURVEY = Survey(
    starts_on=TODAY,
    ends_on=TODAY + timedelta(days=2),
    populations=frozenset({PatronCategory.STUDENT}),
    link=LINK,
    sentences={"fr": "Qu'en pensez-vous ?", "en": "What do you think?"},
)


def written(delivery: Delivery, *, survey: Survey | None = SURVEY, today: date = TODAY) -> tuple[str, str]:
    """The plain and the HTML part."""
    message = read(delivery, renderer=a_renderer(survey=survey), today=today)
    return body(message, "plain"), body(message, "html")


@pytest.mark.parametrize("day", [TODAY - timedelta(days=1), TODAY + timedelta(days=3)])
def test_outside_its_days_there_is_no_line(day: date) -> None:
    for part in written(a_delivery(), today=day):
        assert "enquete.example.fr" not in part
    assert written(a_delivery(), today=day) == written(a_delivery(), survey=None, today=day)


def test_other_readers_have_no_line() -> None:
    staff = a_delivery(patron=a_patron(category=PatronCategory.STAFF))
    assert "enquete" not in "".join(written(staff))


@pytest.mark.parametrize("day", [TODAY, TODAY + timedelta(days=2)])
@pytest.mark.parametrize(
    ("language", "sentence"),
    [("fr", "Qu'en pensez-vous ?"), ("en", "What do you think?"), ("de", "Qu'en pensez-vous ?")],
)
def test_in_its_days_the_plain_and_the_html_part_both_lead_to_the_form(day: date, language: str, sentence: str) -> None:
    plain, html = written(a_delivery(patron=a_patron(language=language)), today=day)
    assert f"{sentence}\n{LINK}" in plain
    assert f'href="{LINK.replace("&", "&amp;")}"' in html
    assert sentence.replace("'", "&#39;") in html


@pytest.mark.parametrize("stage", [Stage.COURTESY_NOTICE, Stage.OVERDUE_NOTICE, Stage.FIRST_REMINDER])
def test_nothing_in_the_link_says_who_reads(stage: Stage) -> None:
    found: set[str] = set()
    for number in range(5):
        patron = a_patron(patron_id=f"P{number}", barcode=f"21{number}", name=f"Lecteur {number}",
                          email=an_email(f"l{number}@example.fr"))  # fmt: skip
        delivery = a_delivery(stage=stage, loans=some_loans(number + 1, patron=patron))
        plain, html = written(replace(delivery, first=bool(number % 2)))
        found |= {*re.findall(r"https://enquete\S*", plain), *re.findall(r'"(https://enquete[^"]*)"', html)}
        assert len(re.findall("enquete", html)) == 1
    assert found == {LINK, LINK.replace("&", "&amp;")}


def test_nothing_of_it_is_fetched_when_the_mail_is_opened() -> None:
    _, html = written(a_delivery())
    assert (
        re.findall(r"<(?:img|link|script|iframe|object|embed)\b|background|url\(", html.replace("background:", ""))
        == []
    )
