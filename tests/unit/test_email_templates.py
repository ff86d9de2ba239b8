"""The templates librarians edit: faults are told with their file and line, before anything is sent."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from loan_reminders.domain.errors import TemplateError
from loan_reminders.domain.stages import Stage
from loan_reminders.rendering.emails import EmailRenderer, check_email_templates
from loan_reminders.rendering.templates import Templates, day_words, long_date, plural
from tests.builders import DUE_DATE, a_delivery, a_library

EMAIL_STAGES = [Stage.COURTESY_NOTICE, Stage.OVERDUE_NOTICE, Stage.FIRST_REMINDER, Stage.SECOND_REMINDER]
TEMPLATES = Templates()


@pytest.mark.parametrize("stage", EMAIL_STAGES)
def test_the_templates_delivered_are_sound(stage: Stage) -> None:
    check_email_templates(TEMPLATES, stage)


@pytest.mark.parametrize(
    ("part", "text", "fault"),
    [
        ("subject.txt.j2", None, r"overdue_notice/email/subject\.txt\.j2 : ce modèle n'existe pas"),
        ("body.txt.j2", "Bonjour\n{{ patron_name", r"body\.txt\.j2, ligne 2 : Jinja répond « unexpected end"),
        ("body.html.j2", "a\nb\n{{ patron_nom }}", r"body\.html\.j2, ligne 3 : « patron_nom » n'existe pas ici"),
        ("body.txt.j2", "{{ today | nice }}", r"body\.txt\.j2, ligne 1 : Jinja répond « No filter named 'nice'"),
        ("body.txt.j2", "{% extends 'x.j2' %}", r"x\.j2 : ce modèle n'existe pas"),
    ],
)
def test_a_broken_template_is_told_with_its_file_and_line(
    tmp_path: Path, part: str, text: str | None, fault: str
) -> None:
    folder = tmp_path / "overdue_notice" / "email"
    folder.mkdir(parents=True)
    for name in ("subject.txt.j2", "body.txt.j2", "body.html.j2"):
        (folder / name).write_text("Bonjour", encoding="utf-8")
    (folder / part).unlink() if text is None else (folder / part).write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError, match=fault):
        check_email_templates(Templates(tmp_path), Stage.OVERDUE_NOTICE)


@pytest.mark.parametrize("text", ["{{ library.nom }}", "{{ loans[5].title }}", "{{ 1 // 0 }}", "{{ count + 'x' }}"])
def test_a_template_that_fails_while_rendering_tells_where_and_no_data(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "overdue_notice" / "email"
    folder.mkdir(parents=True)
    (folder / "subject.txt.j2").write_text("\n" + text, encoding="utf-8")
    renderer = EmailRenderer(
        Templates(tmp_path),
        library=a_library(),
        sender="BU <bu@bu.example.fr>",
        reply_to="bu@bu.example.fr",
        message_id_domain="bu.example.fr",
        written_at=datetime(2026, 11, 27, tzinfo=UTC),
    )
    with pytest.raises(TemplateError, match=r"^overdue_notice/email/subject\.txt\.j2, ligne 2 : ") as caught:
        renderer.render(a_delivery(), today=DUE_DATE)
    assert "Martin" not in str(caught.value)


def test_french_words() -> None:
    assert long_date(date(2027, 8, 1)) == "dimanche 1er août 2027"
    assert day_words(date(2026, 12, 1), date(2026, 11, 30)) == "demain, mardi 1er décembre 2026"
    assert [plural(count, "prêt", "prêts") for count in (0, 1, 2)] == ["prêt", "prêt", "prêts"]
