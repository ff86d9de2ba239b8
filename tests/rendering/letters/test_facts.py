"""The facts of a letter: what the ILS holds, as it will be read."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

import pytest

from loan_reminders.domain.errors import RecipientError, SettingsError
from loan_reminders.domain.messages import RenderedLetter
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.rendering.letters.fonts import FONTS_FOLDER, FontSet
from loan_reminders.rendering.letters.renderer import LetterRenderer
from loan_reminders.rendering.letters.text import (
    breakable,
    french_date,
    letter_reference,
    one_line,
    price_words,
    title_words,
    town_of,
)
from loan_reminders.rendering.templates import TEMPLATES_FOLDER
from tests.scenes.builders import a_delivery, a_library, a_loan, a_patron, an_address, an_email, some_loans

TODAY = date(2026, 12, 4)
DELIVERY_ID = uuid.UUID("00000000-0000-4000-8000-0123456789ab")


def rendered(*, patron: dict[str, Any] | None = None, **loan: Any) -> RenderedLetter:
    reader = a_patron(**(patron or {}))
    delivery = a_delivery(
        channel=Channel.LETTER, patron=reader, loans=(a_loan(patron=reader, **loan),), delivery_id=DELIVERY_ID
    )
    return LetterRenderer(TEMPLATES_FOLDER, library=a_library(), workers=1).letter(delivery, today=TODAY)


def test_a_letter_says_who_what_and_when() -> None:
    letter = rendered(branch="SJA", volume="t. 2")
    assert letter.delivery_id == DELIVERY_ID
    assert letter.recipient == an_address()
    assert (letter.patron_name, letter.patron_barcode) == ("Camille Martin", "2100000000017")
    assert letter.due_date == "26\u00a0novembre\u00a02026"
    (line,) = letter.lines
    assert (line.title, line.author, line.call_number) == (
        "Introduction à l'économie, t. 2",
        "Durand, Anne",
        "330 DUR",
    )
    assert (line.item_barcode, line.branch) == ("0935000123", "BU Saint-Jean d'Angély")
    assert (line.due_date, line.price) == ("26/11/2026", "35,00\u00a0€")


def test_a_branch_nobody_described_is_its_code() -> None:
    assert rendered(branch="ZZZ").lines[0].branch == "ZZZ"


def test_a_delivery_without_a_postal_address_is_refused() -> None:
    delivery = a_delivery(channel=Channel.LETTER, recipient=an_email())
    with pytest.raises(RecipientError):
        LetterRenderer(TEMPLATES_FOLDER, library=a_library(), workers=1).letter(delivery, today=TODAY)


def test_sixty_loans_are_sixty_lines_in_their_order() -> None:
    delivery = a_delivery(channel=Channel.LETTER, loans=some_loans(60))
    letter = LetterRenderer(TEMPLATES_FOLDER, library=a_library(), workers=1).letter(delivery, today=TODAY)
    assert [line.title for line in letter.lines] == [f"Titre n° {number}" for number in range(1, 61)]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("", "Document sans titre"),
        (" \t\r\n", "Document sans titre"),
        ("/", "Document sans titre"),
        ("Le rouge et le noir /", "Le rouge et le noir"),
        ("Ligne\r\nsuivante\tet \x00fin", "Ligne suivante et fin"),
        ("\x88Le \x89monde", "Le monde"),
        ("\u202eLivre\u202c \u200fx", "Livre x"),
        ("\ud800abc", "\ufffdabc"),
        ("Ame\u0301lie", "Amélie"),
        ('#panic("x") $x^2$ @ref *gras*', '#panic("x") $x^2$ @ref *gras*'),
        ("مقدمة في الاقتصاد", "مقدمة في الاقتصاد"),
        ("日本語の本", "日本語の本"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_titles_are_one_clean_line(title: str, expected: str) -> None:
    assert rendered(title=title).lines[0].title == expected


def test_a_very_long_title_is_cut_and_says_so() -> None:
    title = rendered(title="mot " * 125).lines[0].title
    assert len(title) <= 200
    assert title.endswith("mot…")
    assert title_words("Court", "n" * 100).startswith("Court, nnn")


def test_the_letter_spells_the_whole_name_that_the_envelope_may_cut() -> None:
    name = "Anne de La Rochefoucauld-Montbel-Estissac de Saint-Hilaire du Plessis-Bellière et de Montmorency"
    assert rendered(patron={"name": name}).patron_name == name


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ("12,50 EUR", "12,50\u00a0€"),
        ("12.50", "12,50\u00a0€"),
        ("12,5", "12,50\u00a0€"),
        ("35 €", "35,00\u00a0€"),
        ("EUR 35", "35,00\u00a0€"),
        ("35 euros", "35,00\u00a0€"),
        ("1 234,50 EUR", "1\u202f234,50\u00a0€"),
        ("20 USD", "20,00\u00a0$US"),
        ("", ""),
        ("NC", ""),
        ("0,00 EUR", ""),
        ("150 F", ""),
        ("12,50 ou 13,00", ""),
        ("prix sur demande", ""),
        ("9" * 40, ""),
        ("١٢", "12,00\u00a0€"),
    ],
)
def test_prices(held: str, words: str) -> None:
    assert price_words(held) == words


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 12, 1), "1er décembre 2026"),
        (date(2026, 8, 2), "2 août 2026"),
        (date(2027, 2, 28), "28 février 2027"),
    ],
)
def test_dates_are_french_and_never_broken_across_lines(day: date, words: str) -> None:
    assert french_date(day) == words.replace(" ", "\u00a0")


def test_a_reference_is_short_stable_and_tells_nothing_of_the_reader() -> None:
    letter = rendered(patron={"name": "Zoé Zucker", "barcode": "777"})
    assert letter.reference == letter_reference(DELIVERY_ID, Stage.FIRST_REMINDER) == "R1-4D2PF2DB"
    assert "777" not in letter.reference
    others = {letter_reference(uuid.uuid4(), Stage.REGISTERED_LETTER) for _ in range(500)}
    assert len(others) == 500
    assert all(reference.startswith("MD-") and len(reference) == 11 for reference in others)


@pytest.mark.parametrize(
    ("last_line", "town"),
    [
        ("06000 NICE", "Nice"),
        ("06103 NICE CEDEX 2", "Nice"),
        ("13100 AIX EN PROVENCE", "Aix en Provence"),
        ("75005 Paris", "Paris"),
        ("F-69007 LYON", "Lyon"),
        ("72000 LE MANS", "Le Mans"),
    ],
)
def test_the_town_a_letter_is_dated_from(last_line: str, town: str) -> None:
    assert town_of(("Bibliothèque", last_line)) == town


def test_without_an_address_there_is_no_town() -> None:
    assert town_of(()) == ""


def test_lengths_are_bounded() -> None:
    assert one_line("abcdef", 4) == "abc…"
    assert one_line("abcd", 4) == "abcd"


def test_only_long_words_get_places_to_break() -> None:
    assert breakable("abcdefgh ij", 4) == "abcd\u200befgh ij"
    assert breakable("abcd efgh", 4) == "abcd efgh"


class TestFonts:
    fonts = FontSet.of(FONTS_FOLDER)

    @pytest.mark.parametrize(
        "text",
        ["Œuvre d'été « là » – 12 € 1ᵉʳ", "Nguyễn Łukasz Đặng", "Ελληνικά", "Сергей", "العربية", "עברית", "中国经济史",
         "日本語の本", "한국어", "繁體中文", "ქართული", "հայերեն", "ไทย", "हिन्दी", "→ ≤ ∞", "a\u202fb\u00a0c\u200bd"],
    )  # fmt: skip
    def test_what_the_fonts_draw(self, text: str) -> None:
        assert not self.fonts.missing(text)
        assert self.fonts.drawable(text) == text

    @pytest.mark.parametrize(
        ("text", "drawn"),
        [("a😀b", "a\ufffdb"), ("ꦲꦏ", "\ufffd\ufffd"), ("𝐀bc", "Abc")],
    )
    def test_what_no_font_draws_is_seen_to_be_missing(self, text: str, drawn: str) -> None:
        assert self.fonts.missing(text)
        assert self.fonts.drawable(text) == drawn

    def test_the_main_family_is_tried_first(self) -> None:
        assert self.fonts.families[0] == "Noto Sans"

    def test_a_folder_without_fonts_is_a_mistake_of_settings(self, tmp_path: Any) -> None:
        with pytest.raises(SettingsError, match="aucune police"):
            FontSet.of(tmp_path)

    def test_a_spoilt_font_is_named(self, tmp_path: Any) -> None:
        (tmp_path / "Spoilt.ttf").write_bytes(b"not a font")
        with pytest.raises(SettingsError, match=r"Spoilt\.ttf"):
            FontSet.of(tmp_path)
