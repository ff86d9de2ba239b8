"""The first SMS to a number: who writes, how to stop it, in one segment."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from loan_reminders.domain.errors import TemplateError
from loan_reminders.domain.sms.text import ALPHABET, segments
from loan_reminders.domain.stages import Channel
from loan_reminders.rendering.sms.renderer import SmsRenderer
from loan_reminders.rendering.templates import Templates
from loan_reminders.settings.library_toml import ROOT, TEMPLATES, read_settings
from tests.scenes.builders import DUE_DATE, a_delivery, a_library, a_patron, some_loans

STOP = "STOP au 36180"
OURS = read_settings(ROOT / "library.toml")


def first(count: int = 1, language: str = "fr", late: int = 2, **changes: object) -> str:
    options = {"library": OURS.identity(), "opt_out_mention": STOP, "templates": Templates(TEMPLATES), **changes}
    ours = SmsRenderer(options.pop("templates"), **options)  # type: ignore[arg-type]
    ours.check()
    loans = some_loans(count, patron=a_patron(language=language))
    delivery = replace(a_delivery(channel=Channel.SMS, loans=loans), first=True)
    return ours.render(delivery, today=DUE_DATE + timedelta(days=late)).text


def own(folder: Path, **texts: str) -> Templates:
    place = folder / "overdue_notice" / "sms"
    place.mkdir(parents=True)
    (place / "text.txt.j2").write_text("{{ library.short_name }} : {{ count }} en retard.", encoding="utf-8")
    for name, text in texts.items():
        (place / f"{name}.txt.j2").write_text(text, encoding="utf-8")
    return Templates(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ count }} en retard. {{ stop }}", "dire qui écrit"),
        ("{{ library.name }} : {{ count }} en retard. Répondez.", "comment ne plus en recevoir"),
        ("{{ library.name }} {{ titre }} {{ stop }}", "titre"),
    ],
)
def test_a_first_sms_that_does_not_say_who_and_how_to_stop_is_found_before_anything_leaves(tmp_path, text, said):
    with pytest.raises(TemplateError, match=said):
        first(templates=own(tmp_path, first=text), opt_out_mention="" if "Répondez" in text else STOP)


@pytest.mark.parametrize(("language", "words"), [("fr", "Ne plus recevoir de SMS : "), ("en", "No more SMS: ")])
@pytest.mark.parametrize("count", [1, 99])
def test_it_says_who_writes_and_how_to_stop_in_one_segment(language, words, count):
    text = first(count, language)
    assert text.startswith("Bibliothèque universitaire de Montclar")
    assert f"{words}{STOP}" in text
    assert text.count(STOP) == 1
    assert {"fr": "26/11", "en": "26 Nov"}[language] in text
    assert ALPHABET.issuperset(text)
    assert segments(text) == 1


def test_a_long_name_gives_way_to_the_short_form_and_a_long_address_to_the_usual_words():
    library = a_library(name="Bibliothèque interuniversitaire des sciences et techniques du littoral")
    assert first(library=library).startswith("BU : 1 document à rendre (échéance 26/11). ")
    far = replace(library, short_name="BU Sciences et Lettres"[:20], account_url="https://bu.example.fr/" + "x" * 60)
    text = first(99, library=far)
    assert text == f"BU Sciences et Lettr : 99 documents à rendre (échéance 26/11). {far.account_url} {STOP}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("BU : {{ count }} en retard.", r"text\.txt\.j2 : le premier SMS doit dire qui écrit"),
        ("{{ library.short_name }} : {{ count }} en retard.", r"text\.txt\.j2 : le premier SMS doit dire comment"),
    ],
)
def test_usual_words_that_may_be_the_first_must_say_both_as_well(tmp_path, text, said):
    """Without words of its own, or with words that never fit."""
    with pytest.raises(TemplateError, match=said):
        first(templates=own(tmp_path, text=text), opt_out_mention="")
    too_long = "{{ library.name }} {{ stop }} " + "x" * 160
    with pytest.raises(TemplateError, match=said):
        first(templates=own(tmp_path / "long", text=text, first=too_long), opt_out_mention="")


def test_a_long_address_without_a_mention_is_refused_before_a_first_sms_that_nobody_can_stop():
    far = a_library(short_name="BU Sciences et Lettr", account_url="https://bu.example.fr/" + "x" * 70)
    with pytest.raises(TemplateError, match=r"overdue_notice/sms/text\.txt\.j2 : le premier SMS doit dire comment"):
        first(library=far, opt_out_mention="")


def test_words_after_those_that_always_fit_are_never_the_first(tmp_path):
    fits = "{{ library.short_name }} {{ stop }}"
    assert first(templates=own(tmp_path, first=fits), opt_out_mention="").endswith(OURS.library.phone)


def test_without_a_mention_it_says_whom_to_call():
    assert first(opt_out_mention="").endswith(f"Ne plus recevoir de SMS : {OURS.library.phone}")


def test_where_two_segments_are_allowed_its_words_may_take_them(tmp_path):
    text = first(templates=own(tmp_path, first="{{ library.name }} : {{ 'x' * 150 }} {{ stop }}"), max_segments=2)
    assert segments(text) == 2


def test_a_stage_without_words_for_it_writes_the_usual_ones(tmp_path):
    assert first(templates=own(tmp_path)) == f"BU Montclar : 1 en retard. {STOP}"


def test_a_number_that_was_reached_gets_the_usual_words():
    ours = SmsRenderer(Templates(TEMPLATES), library=OURS.identity(), opt_out_mention=STOP)
    text = ours.render(a_delivery(channel=Channel.SMS), today=date(2026, 11, 27)).text
    assert text.startswith("BU Montclar : vous deviez rendre 1 document hier.")
