"""What a reader reads in an e-mail: the stage's words, true that day, in the reader's language, on a small screen."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from loan_reminders.domain.stages import Stage
from loan_reminders.rendering.email.lines import cut
from loan_reminders.rendering.templates import Templates
from tests.scenes.builders import DUE_DATE, a_delivery, a_loan, a_patron, some_loans, today_for
from tests.scenes.rendered_emails import EMAIL_STAGES, RENDERER, a_renderer, body, read
from tests.scenes.sentences import as_typed


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
    assert "rapporter" in one
    assert "Si vous l'avez rendu ou prolongé entre-temps" in one
    assert "es 2 documents ci-dessous" in two
    assert "document ci-dessous" not in two
    assert "Si vous les avez rendus ou prolongés entre-temps" in two


@pytest.mark.parametrize(
    ("stage", "language", "days", "count", "subject"),
    [
        (Stage.COURTESY_NOTICE, "fr", -2, 2, "À rendre jeudi 26 novembre : 2 documents"),
        (Stage.COURTESY_NOTICE, "fr", -1, 1, "À rendre demain, jeudi 26 novembre : 1 document"),
        (Stage.COURTESY_NOTICE, "en", -2, 2, "Due Thursday 26 November: 2 items"),
        (Stage.COURTESY_NOTICE, "en", 0, 1, "Due today, Thursday 26 November: 1 item"),
        (Stage.OVERDUE_NOTICE, "fr", 1, 2, "À rendre depuis hier, jeudi 26 novembre : 2 documents"),
        (Stage.OVERDUE_NOTICE, "fr", 2, 1, "À rendre depuis jeudi 26 novembre : 1 document"),
        (Stage.OVERDUE_NOTICE, "en", 1, 1, "Overdue: 1 item was due yesterday, Thursday 26 November"),
        (Stage.FIRST_REMINDER, "fr", 8, 2, "1re relance : 2 documents à rendre depuis jeudi 26 novembre"),
        (Stage.FIRST_REMINDER, "en", 8, 2, "First reminder: 2 items were due Thursday 26 November"),
        (Stage.SECOND_REMINDER, "fr", 15, 1, "2e et dernière relance : 1 document à rendre depuis jeudi 26 novembre"),
        (Stage.SECOND_REMINDER, "en", 15, 2, "Second and last reminder: 2 items were due Thursday 26 November"),
        (Stage.FIRST_REMINDER, "fr", 200, 1, "1re relance : 1 document à rendre depuis jeudi 26 novembre 2026"),
    ],
)
def test_the_subject_says_what_and_when(stage: Stage, language: str, days: int, count: int, subject: str) -> None:
    delivery = a_delivery(stage=stage, loans=some_loans(count, patron=a_patron(language=language)))
    today = DUE_DATE + timedelta(days=days)
    assert as_typed(read(delivery, today)["Subject"]) == subject
    assert as_typed(RENDERER.render(delivery, today=today).subject) == subject


@pytest.mark.parametrize("stage", EMAIL_STAGES)
def test_no_line_of_a_french_e_mail_begins_with_a_double_sign(stage: Stage) -> None:
    loan = a_loan(title="Les Misérables : « roman »")
    message = read(a_delivery(stage=stage, loans=(loan,)))
    parts = [str(part.get_content()) for part in message.iter_parts()]
    said = [message["Subject"], parts[0], re.sub(r"<style.*?</style>|<[^>]*>", " | ", parts[1])]
    assert not [words for words in said if re.search(r" [:;!?»]|« ", words)]
    assert all("Misérables\N{NO-BREAK SPACE}: «\N{NO-BREAK SPACE}roman" in words for words in said[1:])
    tags = re.findall(r"<style.*?</style>|<[^>]*>", parts[1])
    assert tags
    assert not [tag for tag in tags if "\N{NO-BREAK SPACE}" in tag]


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
    assert "- Document sans titre\n  Code-barres : 0935000123\n  XYZ\n  À rendre : jeudi 26 novembre 2026" in text


def test_the_volume_follows_the_title() -> None:
    assert "- Histoire, T. 2\n" in body(read(a_delivery(loans=(a_loan(title="Histoire", volume="T. 2"),))))


@pytest.mark.parametrize("stage", EMAIL_STAGES)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_html_reads_on_a_phone_in_the_dark_and_fetches_nothing(stage: Stage, language: str) -> None:
    html = body(read(a_delivery(stage=stage, patron=a_patron(language=language))), "html")
    assert f'<html lang="{language}" dir="ltr">' in html
    assert 'name="viewport"' in html
    assert 'name="color-scheme" content="light dark"' in html
    assert "@media (prefers-color-scheme: dark)" in html
    assert html.count('scope="col"') == 2
    assert "<caption" in html
    assert not re.search(r"<(td|th|a|table|body|h1)\b(?![^>]*style=)", html)
    assert not re.search(r"<img|<link|<script|src=|url\(|@import", html)
    assert re.findall(r'href="([^"]+)"', html) == [
        "https://bu.example.fr/compte", "mailto:prets@bu.example.fr", "https://bu.example.fr",
    ]  # fmt: skip


@pytest.mark.parametrize("stage", EMAIL_STAGES)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_plain_text_and_html_say_the_same(stage: Stage, language: str) -> None:
    delivery = a_delivery(stage=stage, loans=some_loans(3, patron=a_patron(language=language)))
    message = read(delivery)
    words = {word for word in re.findall(r"\w+", body(message)) if word not in ("https", "bu", "example", "fr")}
    page = unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", body(message, "html"), flags=re.DOTALL))
    assert words <= set(re.findall(r"\w+", page))
    assert as_typed(RENDERER.render(delivery, today=today_for(stage)).text.strip()) == body(message).strip()


@pytest.mark.parametrize(
    ("language", "days", "said"),
    [
        ("fr", 8, "8\xa0jours de retard"),
        ("fr", 1, "1\xa0jour de retard"),
        ("en", 8, "8 days late"),
        ("en", 1, "1 day late"),
    ],
)
def test_the_days_late_are_counted(language: str, days: int, said: str) -> None:
    message = read(a_delivery(patron=a_patron(language=language)), DUE_DATE + timedelta(days=days))
    assert said in body(message)
    assert said in body(message, "html")


def test_before_the_due_date_nothing_is_late() -> None:
    assert "retard" not in body(read(a_delivery(stage=Stage.COURTESY_NOTICE)))


def test_the_hours_of_the_branches_concerned_and_of_no_other() -> None:
    text = body(read(a_delivery(loans=some_loans(3, branch="VALROSE"))))
    assert text.count("lundi-vendredi 8h30-19h") == 1
    assert "Diables Bleus" not in text


def test_sixty_loans_with_titles_of_10_kb_stay_readable() -> None:
    message = read(a_delivery(loans=some_loans(60, title="Un titre sans fin " * 600, author="x" * 10_000)))
    text = body(message)
    assert text.count("- Un titre sans fin Un") == 60
    assert max(map(len, text.splitlines())) < 250
    assert len(body(message, "html")) < 102_000, "beyond, Gmail cuts a message"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("court", "court"),
        ("un deux trois quatre", "un deux…"),
        ("abcdefghijklmnop", "abcdefghi…"),
        ("abcdefghe\u0301\u0301xyz", "abcdefgh…"),
        ("abcdefg\U0001f469\u200d\U0001f4bbxyz", "abcdefg…"),
    ],
)
def test_a_cut_falls_between_words_or_whole_letters(text: str, shown: str) -> None:
    assert cut(text, 10) == shown


def test_a_language_with_its_own_folder_is_used(tmp_path: Path) -> None:
    words = "{% block message %}{{ count | plural('a', 'b', few='c') }}{% endblock %}"
    for folder, hello in (("overdue_notice/email", "Bonjour"), ("overdue_notice/en/email", "Hello"),
                          ("overdue_notice/pl/email", "Dzień dobry")):  # fmt: skip
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "subject.txt.j2").write_text(hello + " {{ due_date | long_date }}", encoding="utf-8")
        (tmp_path / folder / "words.txt.j2").write_text(words, encoding="utf-8")
    (tmp_path / "_layouts" / "email").mkdir(parents=True)
    for name in ("body.txt.j2", "body.html.j2"):
        (tmp_path / "_layouts" / "email" / name).write_text("{{ message }}", encoding="utf-8")
    renderer = a_renderer(Templates(tmp_path))

    def said(language: str) -> tuple[str, str, str]:
        message = read(a_delivery(loans=some_loans(3, patron=a_patron(language=language))), DUE_DATE, renderer)
        return message["Content-Language"], message["Subject"], body(message).strip()

    assert said("en") == ("en", "Hello Thursday 26 November 2026", "b")
    assert said("pl") == ("pl", "Dzień dobry czwartek, 26 listopada 2026", "c")
    assert said("de") == said("../x") == ("fr", "Bonjour jeudi 26 novembre 2026", "b")
