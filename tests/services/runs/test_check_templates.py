"""Every template is checked before a run reads anything: each fault with its file and line."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from loan_reminders.domain.errors import TemplateError
from loan_reminders.domain.sms.text import TextRules
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.services.runs.check_templates import check_templates
from loan_reminders.settings.library_toml import ROOT, read_settings

TODAY = date(2026, 11, 27)
OURS = read_settings(ROOT / "library.toml")


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "templates", tmp_path / "templates"))


def check(templates: Path, *stages: Stage, layout=None) -> None:
    policy = OURS.policy()
    check_templates(
        templates,
        rules=[policy.rule(stage) for stage in stages or Stage],
        library=OURS.identity(),
        layout=layout or OURS.letter_layout(),
        text_rules=OURS.text_rules(),
        today=TODAY,
    )


def spoil(templates: Path, pattern: str, line: str) -> str:
    """Put a line at the end of the first template of this name; returns the name and the line's number."""
    path = sorted(templates.glob(pattern))[0]
    text = path.read_text(encoding="utf-8").rstrip("\n")
    path.write_text(f"{text}\n{line}\n", encoding="utf-8")
    return f"{path.relative_to(templates)}, ligne {text.count(chr(10)) + 2}"


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("first_reminder/email/*.j2", "{% if %}"),
        ("first_reminder/en/email/*.j2", "{{ unknown_word }}"),
        ("first_reminder/letter/letter.typ", "#let x = (1,"),
        ("first_reminder/letter/letter.typ", '#eval("1")'),
        ("registered_letter/registered_letter/letter.typ", "#missing-word"),
        ("_layouts/letter.typ", "#let x = ]"),
    ],
)
def test_a_fault_is_told_by_file_and_line(templates: Path, pattern: str, line: str) -> None:
    place = spoil(templates, pattern, line)
    with pytest.raises(TemplateError) as caught:
        check(templates)
    assert place in str(caught.value)


def test_every_fault_is_told_at_once(templates: Path) -> None:
    places = [
        spoil(templates, "courtesy_notice/email/subject.txt.j2", "{{ nobody }}"),
        spoil(templates, "overdue_notice/sms/text.txt.j2", "{% endif %}"),
        spoil(templates, "second_reminder/letter/letter.typ", "#("),
    ]
    with pytest.raises(TemplateError) as caught:
        check(templates)
    assert [place for place in places if place not in str(caught.value)] == []


def test_a_stage_is_not_stopped_by_another_stages_template(templates: Path) -> None:
    spoil(templates, "second_reminder/letter/letter.typ", "#(")
    check(templates, Stage.FIRST_REMINDER)


def test_a_channel_that_the_library_does_not_use_is_not_checked(templates: Path) -> None:
    spoil(templates, "first_reminder/letter/letter.typ", "#(")
    rule = OURS.policy().rule(Stage.FIRST_REMINDER)
    emails = replace(rule, channels=tuple(one for one in rule.channels if one.channel is Channel.EMAIL))
    check_templates(
        templates,
        rules=[emails],
        library=OURS.identity(),
        layout=OURS.letter_layout(),
        text_rules=TextRules(max_segments=1, opt_out_mention=""),
        today=TODAY,
    )


def test_a_missing_logo_is_told(templates: Path) -> None:
    with pytest.raises(TemplateError, match=r"_layouts/logo\.svg"):
        check(templates, Stage.FIRST_REMINDER, layout=replace(OURS.letter_layout(), logo="_layouts/logo.svg"))


def test_the_templates_delivered_are_sound() -> None:
    check(ROOT / "templates")
