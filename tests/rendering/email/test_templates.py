"""The templates librarians edit: faults are told with their file and line, before anything is sent."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from loan_reminders.domain.errors import TemplateError
from loan_reminders.domain.stages import Stage
from loan_reminders.rendering.email.renderer import EmailRenderer, check_email_templates
from loan_reminders.rendering.inlining import inlined
from loan_reminders.rendering.languages import days
from loan_reminders.rendering.templates import Templates, day_words, long_date, plural
from tests.scenes.builders import DUE_DATE, a_delivery, a_library

EMAIL_STAGES = [Stage.COURTESY_NOTICE, Stage.OVERDUE_NOTICE, Stage.FIRST_REMINDER, Stage.SECOND_REMINDER]
TEMPLATES = Templates()


@pytest.mark.parametrize("stage", EMAIL_STAGES)
def test_the_templates_delivered_are_sound(stage: Stage) -> None:
    check_email_templates(TEMPLATES, stage)


WORDS = "".join(f"{{% block {name} %}}x{{% endblock %}}" for name in ("message", "advice", "thanks"))


def own_templates(folder: Path, changes: dict[str, str | None]) -> Templates:
    """The smallest sound templates, with some files changed, added or (None) left out."""
    files: dict[str, str | None] = {
        "overdue_notice/email/subject.txt.j2": "Bonjour",
        "overdue_notice/email/words.txt.j2": WORDS,
        "_layouts/email/body.txt.j2": "{{ message }}",
        "_layouts/email/body.html.j2": "{{ message }}",
    }
    for name, text in {**files, **changes}.items():
        if text is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    return Templates(folder)


@pytest.mark.parametrize(
    ("part", "text", "fault"),
    [
        (
            "overdue_notice/email/subject.txt.j2",
            None,
            r"overdue_notice/email/subject\.txt\.j2 : ce modèle n'existe pas",
        ),
        ("overdue_notice/email/words.txt.j2", WORDS + "\n{{ patron_name", r"words\.txt\.j2, ligne 2 : Jinja répond"),
        ("overdue_notice/email/words.txt.j2", "{% block message %}{% endblock %}", "le bloc « advice » manque"),
        ("overdue_notice/email/words.txt.j2", WORDS + "{% block x %}{% endblock %}", "« x » n’est lu par personne"),
        (
            "overdue_notice/email/body.html.j2",
            "a\nb\n{{ patron_nom }}",
            r"email/body\.html\.j2, ligne 3 : « patron_nom »",
        ),
        ("_layouts/email/body.html.j2", "a\n\n{{ patron_nom }}", r"body\.html\.j2, ligne 3 : « patron_nom »"),
        (
            "_layouts/email/body.txt.j2",
            "{{ today | nice }}",
            r"body\.txt\.j2, ligne 1 : Jinja répond « No filter named",
        ),
        ("_layouts/email/body.txt.j2", "{% extends 'x.j2' %}", r"x\.j2 : ce modèle n'existe pas"),
        ("overdue_notice/en/email/subject.txt.j2", "Hello", r"en/email/words\.txt\.j2 : ce modèle n'existe pas"),
        ("overdue_notice/qq/email/subject.txt.j2", "Hello", "« qq » n'est pas un code de langue"),
    ],
)
def test_a_broken_template_is_told_with_its_file_and_line(
    tmp_path: Path, part: str, text: str | None, fault: str
) -> None:
    check_email_templates(own_templates(tmp_path / "sound", {}), Stage.OVERDUE_NOTICE)
    with pytest.raises(TemplateError, match=fault):
        check_email_templates(own_templates(tmp_path / "broken", {part: text}), Stage.OVERDUE_NOTICE)


def test_a_language_must_bring_the_words_around_the_message(tmp_path: Path) -> None:
    labels = {"_layouts/email/labels.j2": "{% set hello = 'Bonjour' %}"}
    layout = {"_layouts/email/body.txt.j2": "{% import '_layouts/email/labels.j2' as labels %}{{ labels.hello }}"}
    english = {
        f"overdue_notice/en/email/{name}": text for name, text in (("subject.txt.j2", "x"), ("words.txt.j2", WORDS))
    }
    with pytest.raises(TemplateError, match=r"^_layouts/en/email/labels\.j2 : ce modèle n'existe pas$"):
        check_email_templates(own_templates(tmp_path, {**labels, **layout, **english}), Stage.OVERDUE_NOTICE)
    own_templates(tmp_path, {**layout, "_layouts/en/email/labels.j2": "{% set hello = 'Hello' %}"})
    check_email_templates(Templates(tmp_path), Stage.OVERDUE_NOTICE)


@pytest.mark.parametrize("text", ["{{ library.nom }}", "{{ loans[5].title }}", "{{ 1 // 0 }}", "{{ count + 'x' }}"])
@pytest.mark.parametrize(
    ("part", "around", "line"),
    [
        ("overdue_notice/email/subject.txt.j2", "\n{}", 2),
        ("overdue_notice/email/words.txt.j2", "{{% block message %}}\n\n{}\n{{% endblock %}}", 3),
        (
            "_layouts/email/body.html.j2",
            "<!DOCTYPE html>\n<html><head>\n<title>x</title>\n</head><body>\n{}</body></html>",
            5,
        ),
    ],
)
def test_a_template_that_fails_while_rendering_tells_where_and_no_data(
    tmp_path: Path, text: str, part: str, around: str, line: int
) -> None:
    templates = own_templates(tmp_path, {part: around.format(text), "_layouts/email/style.css": "body { margin: 0 }"})
    renderer = EmailRenderer(
        templates,
        library=a_library(),
        sender="BU <bu@bu.example.fr>",
        reply_to="bu@bu.example.fr",
        message_id_domain="bu.example.fr",
        clock=lambda: datetime(2026, 11, 27, tzinfo=UTC),
    )
    with pytest.raises(TemplateError, match=rf"^{part}, ligne {line} : ") as caught:
        renderer.render(a_delivery(), today=DUE_DATE)
    assert "Martin" not in str(caught.value)


@pytest.mark.parametrize(
    "words",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ ('__cla' ~ 'ss__') in library_name }}{{ library_name['__cla' ~ 'ss__'] }}",
        "{{ library_name | attr('__class__') }}",
        "{{ '{0.__class__.__init__.__globals__}'.format(library_name) }}",
        "{{ cycler.__init__.__globals__.os.environ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ range(10 ** 9) | length }}",
        "{{ library.__class__ }}",
        "{{ library.__dataclass_fields__ }}",
        "{{ library.branch.__func__.__globals__ }}",
        "{{ library.branch.__self__.__class__ }}",
        "{{ '{0.__class__}'.format(library) }}",
        "{{ library.unknown }}",
    ],
)
def test_a_template_reaches_neither_python_nor_the_server(tmp_path: Path, words: str) -> None:
    """Whoever may edit words may not read the secrets of the machine that sends them."""
    templates = own_templates(tmp_path, {"overdue_notice/email/subject.txt.j2": words})
    with pytest.raises(TemplateError, match=r"subject\.txt\.j2, ligne 1 : (Jinja répond|erreur OverflowError)"):
        templates.render("overdue_notice/email/subject.txt.j2", {"library_name": "BU Montclar", "library": a_library()})


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>{{ a }}</p>", '<p style="margin:0">{{ a }}</p>'),
        ("{% if a < b %}\n<p>x</p>\n{% endif %}", '{% if a < b %}\n<p style="margin:0">x</p>\n{% endif %}'),
        ('<a href="{{ a & b }}">é</a>', '<a href="{{ a & b }}">é</a>'),
    ],
)
def test_the_style_sheet_goes_into_the_tags_and_leaves_jinja_alone(source: str, found: str) -> None:
    assert inlined(source, "p { margin: 0 }") == found


def test_jinja_within_a_tag_is_refused() -> None:
    with pytest.raises(ValueError, match="balise"):
        inlined("<p {% if a %}hidden{% endif %}>x</p>", "p { margin: 0 }")


def test_words_of_days_and_numbers() -> None:
    day = date(2026, 12, 1)
    assert long_date(date(2027, 8, 1)) == "dimanche 1er août 2027"
    assert long_date(day, "en") == "Tuesday 1 December 2026"
    assert long_date(day, "de") == "Dienstag, 1. Dezember 2026"
    assert day_words(day, date(2026, 11, 30)) == "demain, mardi 1er décembre 2026"
    assert day_words(day, date(2026, 12, 2), "en") == "yesterday, Tuesday 1 December 2026"
    assert day_words(day, date(2026, 12, 3), "en") == "on Tuesday 1 December 2026"
    assert day_words(day, date(2026, 12, 2), "de") == "Dienstag, 1. Dezember 2026"
    assert [plural(count, "prêt", "prêts") for count in (0, 1, 2, 1_000_000)] == ["prêt", "prêt", "prêts", "prêts"]
    assert [plural(count, "loan", "loans", language="en") for count in (0, 1, 2)] == ["loans", "loan", "loans"]
    assert [days(count, "fr") for count in (1, 8)] == ["1\xa0jour", "8\xa0jours"]
