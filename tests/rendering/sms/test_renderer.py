"""The SMS a reader gets: true today, one line, one segment."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from loan_reminders.domain.errors import RecipientError, TemplateError, TextTooLong
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.rendering.sms.renderer import SmsRenderer
from loan_reminders.rendering.templates import Templates
from tests.scenes.builders import DUE_DATE, a_delivery, a_library, a_mobile, a_patron, an_email, some_loans, today_for
from tests.scenes.sms_parts import octets, parts

STOP = "STOP au 36180"
TEMPLATE = "overdue_notice/sms/text.txt.j2"
REST = 'Consultez vos prets sur https://bu.example.fr/compte, onglet "Mon compte". STOP au 36180'


def an_sms(count: int = 1, *, language: str = "fr", due_date: date = DUE_DATE) -> Delivery:
    patron = a_patron(language=language)
    return a_delivery(channel=Channel.SMS, loans=some_loans(count, patron=patron, due_date=due_date))


def renderer(templates: Templates | None = None, **changes: object) -> SmsRenderer:
    options = {"library": a_library(), "opt_out_mention": STOP, **changes}
    return SmsRenderer(templates or Templates(), **options)  # type: ignore[arg-type]


def own_templates(folder: Path, **texts: str) -> Templates:
    """Templates of one's own for the overdue notice: French, and by language."""
    for language, text in texts.items():
        place = folder / "overdue_notice" / ("" if language == "fr" else language) / "sms"
        place.mkdir(parents=True)
        (place / "text.txt.j2").write_text(text, encoding="utf-8")
    return Templates(folder)


def test_a_delivery_that_is_not_for_a_mobile_is_refused() -> None:
    with pytest.raises(RecipientError):
        renderer().render(a_delivery(channel=Channel.SMS, recipient=an_email()), today=DUE_DATE)


def test_a_stage_without_a_template_is_an_error() -> None:
    delivery = a_delivery(channel=Channel.SMS, stage=Stage.FIRST_REMINDER)
    with pytest.raises(TemplateError, match="first_reminder/sms/text"):
        renderer().render(delivery, today=DUE_DATE)
    with pytest.raises(TemplateError, match="first_reminder/sms/text"):
        renderer().check([Stage.FIRST_REMINDER])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ patron_name }}", "patron_name"),
        ("{{ count", "ligne 1 : Jinja répond"),
        ("{{ library.mobile }}", "mobile"),
        ("{# rien #}  ", "le texte est vide"),
        ("{{ 1 // 0 }}", "ZeroDivisionError"),
    ],
)
def test_a_wrong_template_is_found_before_anything_is_sent(tmp_path: Path, text: str, said: str) -> None:
    ours = renderer(own_templates(tmp_path, fr=text))
    with pytest.raises(TemplateError, match=said):
        ours.check()
    with pytest.raises(TemplateError, match=said):
        ours.render(an_sms(), today=DUE_DATE)


@pytest.mark.parametrize("name", ["patron_name", "patron", "loans", "titles"])
def test_the_reader_s_name_and_titles_cannot_be_named_even_where_it_is_rarely_reached(
    tmp_path: Path, name: str
) -> None:
    rarely = f"{{% if count == 57 %}}{{{{ {name} }}}}{{% endif %}}Retard"
    with pytest.raises(TemplateError, match=name):
        renderer(own_templates(tmp_path, fr=rarely)).check()


@pytest.mark.parametrize(
    ("days_late", "words"),
    [
        (1, "BU : vous deviez rendre 1 document hier."),
        (0, "BU : vous devez rendre 1 document aujourd'hui."),
        (2, "BU : vous deviez rendre 1 document le 26/11."),
        (7, "BU : vous deviez rendre 1 document le 26/11."),
        (366, "BU : vous deviez rendre 1 document le 26/11."),
        (-1, "BU : vous devez rendre 1 document le 26/11."),
    ],
)
def test_the_words_are_true_on_the_day_of_sending(days_late: int, words: str) -> None:
    found = renderer().render(an_sms(), today=DUE_DATE + timedelta(days=days_late))
    assert found.text == f"{words} {REST}"
    assert ("hier" in found.text) is (days_late == 1)


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 document hier"), (2, "2 documents hier"), (12, "12 documents hier")]
)
def test_singular_and_plural_agree_with_the_loans_of_the_delivery(count: int, words: str) -> None:
    assert f"rendre {words}." in renderer().render(an_sms(count), today=DUE_DATE + timedelta(days=1)).text


def test_the_sms_goes_to_the_delivery_s_mobile_in_one_segment_of_gsm() -> None:
    delivery = an_sms(3)
    found = renderer().render(delivery, today=DUE_DATE + timedelta(days=1))
    assert (found.delivery_id, found.recipient) == (delivery.delivery_id, a_mobile())
    assert (found.segments, parts(found.text)) == (1, [octets(found.text)])
    assert "\n" not in found.text


@pytest.mark.parametrize("mention", ["", "STOP au 36180", " STOP au 36180 ", "«\u00a0STOP\u00a0» au 36180"])
def test_the_opt_out_mention_ends_the_text(mention: str) -> None:
    found = renderer(opt_out_mention=mention).render(an_sms(), today=DUE_DATE + timedelta(days=1)).text
    ends = {"": '"Mon compte".', "«\u00a0STOP\u00a0» au 36180": '"Mon compte". "STOP" au 36180'}
    assert found.endswith(ends.get(mention, '"Mon compte". STOP au 36180'))


def test_a_mention_that_the_template_holds_is_not_said_twice(tmp_path: Path) -> None:
    found = renderer(own_templates(tmp_path, fr="Retard. STOP au 36180 (gratuit)")).render(an_sms(), today=DUE_DATE)
    assert found.text == "Retard. STOP au 36180 (gratuit)"


def test_lines_and_french_typography_become_one_plain_line(tmp_path: Path) -> None:
    words = "Prêts\u00a0:\n  « à rendre »…\n\n{{ library.name }}\n"
    found = renderer(own_templates(tmp_path, fr=words), opt_out_mention="").render(an_sms(), today=DUE_DATE)
    assert found.text == 'Prets : "à rendre"... Bibliothèque universitaire de Démonstration'


def test_a_translation_is_used_where_there_is_one(tmp_path: Path) -> None:
    ours = renderer(own_templates(tmp_path, fr="À rendre", en="Overdue"), opt_out_mention="")
    said = {
        language: ours.render(an_sms(language=language), today=DUE_DATE).text for language in ("fr", "en", "de", "..")
    }
    assert said == {"fr": "A rendre", "en": "Overdue", "de": "A rendre", "..": "A rendre"}


@pytest.mark.parametrize(("length", "segments"), [(146, 1), (147, 2)])
def test_a_text_too_long_is_refused_unless_segments_are_allowed(tmp_path: Path, length: int, segments: int) -> None:
    templates = own_templates(tmp_path, fr="{{ library.short_name }}" + "x" * (length - len("BU")))
    assert renderer(templates, max_segments=segments).render(an_sms(), today=DUE_DATE).segments == segments
    renderer(templates, max_segments=segments).check()
    if segments == 2:
        with pytest.raises(TextTooLong, match=r"jusqu'à 161 septets \(segments : 2\)"):
            renderer(templates).render(an_sms(), today=DUE_DATE)
        with pytest.raises(TemplateError, match=r"161 septets \(segments : 2\), pour 160 septets permis"):
            renderer(templates).check()


@pytest.mark.parametrize(
    "varying",
    [
        "{{ 'x' * 145 }}{{ count }}",
        "{{ 'x' * 142 }}{{ due_day if days_late > 1 else 'hier' }}",
        "{{ 'x' * 116 }}{{ due_date | day_words(today) }}",
    ],
)
def test_the_check_tries_the_longest_values(tmp_path: Path, varying: str) -> None:
    ours = renderer(own_templates(tmp_path, fr=varying))
    assert ours.render(an_sms(due_date=date(2026, 5, 1)), today=date(2026, 5, 2)).segments == 1
    with pytest.raises(TemplateError, match="septets"):
        ours.check()


def test_the_check_reads_translations_too(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="overdue_notice/en/sms"):
        renderer(own_templates(tmp_path, fr="{{ library.short_name }} ok", en="x" * 160)).check()


@pytest.mark.parametrize(
    "library",
    [
        a_library(),
        a_library(short_name="BU Nice", account_url="http://bibliotheque.unice.fr"),
        a_library(short_name="BU Montclar", account_url="https://bu-montclar.example/compte"),
    ],
)
def test_the_template_delivered_fits_one_segment_with_its_mention(library: object) -> None:
    renderer(library=library).check()


def test_a_library_with_a_long_address_learns_it_at_start_up() -> None:
    with pytest.raises(TemplateError, match=f"{TEMPLATE} : jusqu'à 2.. septets"):
        renderer(library=a_library(account_url=f"https://{'long' * 40}.example.fr")).check()


@pytest.mark.parametrize("form", ["text", "short", "first", "first_short"])
def test_the_english_words_name_the_month(form: str) -> None:
    """05/12 is the twelfth of May to many who read English."""
    due_date = date(2026, 12, 5)
    name = f"overdue_notice/en/sms/{form}.txt.j2"
    assert "due on 5 Dec." in renderer()._text(name, count=1, due_date=due_date, today=due_date + timedelta(days=2))


@pytest.mark.parametrize("form", ["text", "short", "first", "first_short"])
def test_what_is_due_today_is_not_said_to_be_due_since(form: str) -> None:
    name = f"overdue_notice/sms/{form}.txt.j2"
    assert "depuis" not in renderer()._text(name, count=1, due_date=DUE_DATE, today=DUE_DATE)


def test_a_text_that_overflows_drops_to_its_short_form() -> None:
    library = a_library(account_url=f"https://{'long' * 18}.example.fr")
    renderer(library=library).check()
    delivery = a_delivery(channel=Channel.SMS)
    text = renderer(library=library).render(delivery, today=today_for(delivery.notice.stage))
    assert text.text.startswith("BU : 1 document à rendre (échéance 26/11). https://long")
    assert text.segments == 1
    assert "Consultez" in renderer().render(delivery, today=today_for(delivery.notice.stage)).text
