"""GSM 03.38: what a text becomes and what it costs, against an independent alphabet and an independent cut."""

from __future__ import annotations

import random
import unicodedata

import pytest

from loan_reminders.domain.sms.text import ALPHABET, ESCAPED, check_sender, segments, septets, to_gsm
from tests.sample_sizes import sample
from tests.scenes.sms_parts import ESCAPE, octets, parts

SEED_TEXT = (
    "Message de la BU : vous deviez rendre 1 ou plusieurs documents hier. Consultez vos prêts sur"
    " http://bibliotheque.unice.fr, onglet « Mon compte »"
)

BECOMES = [
    ("", ""),
    ("Bonjour", "Bonjour"),
    ("é è à ù ì ò É Ç ä ö ü ñ Ñ ß æ Æ", "é è à ù ì ò É Ç ä ö ü ñ Ñ ß æ Æ"),
    ("@ £ $ ¥ § ¿ ¡ ¤ _ Δ Ω", "@ £ $ ¥ § ¿ ¡ ¤ _ Δ Ω"),
    ("€ [ ] { } ^ ~ \\ |", "€ [ ] { } ^ ~ \\ |"),
    ("prêts", "prets"),
    ("français", "francais"),
    ("Ça, c'est l'été à Nîmes", "Ça, c'est l'été à Nimes"),
    ("ê â î ô û ë ï ÿ ç", "e a i o u e i y c"),
    ("È À Ê Ë Î Ï Ô Û Ù Â", "E A E E I I O U U A"),
    ("e\u0301te\u0301", "été"),
    ("pre\u0302ts", "prets"),
    ("c\u0327a", "ca"),
    ("C\u0327a", "Ça"),
    ("« Mon compte »", '"Mon compte"'),
    ("«\u00a0Mon compte\u00a0»", '"Mon compte"'),
    ("«\u202fMon compte\u202f»", '"Mon compte"'),
    ("«Mon compte»", '"Mon compte"'),
    ("“Mon compte”", '"Mon compte"'),
    ("„Mon compte‟", '"Mon compte"'),
    ("‹ ici ›", "' ici '"),
    ("l’œuvre", "l'oeuvre"),
    ("‘oui’", "'oui'"),
    ("Œuvres", "OEuvres"),
    ("cœur", "coeur"),
    ("suite…", "suite..."),
    ("lundi – vendredi", "lundi - vendredi"),
    ("lundi — vendredi", "lundi - vendredi"),
    ("8h‑20h", "8h-20h"),
    ("−5", "-5"),
    ("n° 12", "no 12"),
    ("12 °C", "12 oC"),
    ("1ᵉʳ étage", "1er étage"),
    ("2ⁿᵈ", "2nd"),
    ("m²", "m2"),
    ("½", "1/2"),
    ("2 × 3", "2 x 3"),
    ("©", "(c)"),
    ("™", "TM"),
    ("ﬁn", "fin"),
    ("Ａ１", "A1"),
    ("Łódź", "Lodz"),
    ("Đorđe", "Dorde"),
    ("Þór", "Thor"),
    ("İstanbul", "Istanbul"),
    ("ısı", "isi"),
    ("Žižek", "Zizek"),
    ("Ελλάδα", "??????"),
    ("Привет", "??????"),
    ("图书馆", "???"),
    ("مكتبة", "?????"),
    ("Bravo 🎉", "Bravo "),
    ("👨‍👩‍👧", ""),
    ("✓ rendu", " rendu"),
    ("a\u200bb\u200e\ufeffc\u00add", "abcd"),
    ("a\tb", "a b"),
    ("a\u00a0b\u202fc\u2009d\u3000e", "a b c d e"),
    ("a\x00b\x1bc\x7fd\x0ce", "a b c d e"),
    ("un\r\ndeux\rtrois\u2028quatre", "un\ndeux\ntrois\nquatre"),
    ("`a´", "'a'"),
    ("\u0301", ""),
    (SEED_TEXT, SEED_TEXT.replace("ê", "e").replace("« ", '"').replace(" »", '"')),
]


@pytest.mark.parametrize(("text", "expected"), BECOMES)
def test_a_text_becomes_gsm_and_stays_readable(text: str, expected: str) -> None:
    found = to_gsm(text)
    assert found == expected
    octets(found)
    assert to_gsm(found) == found


@pytest.mark.parametrize(
    ("text", "width", "cost"),
    [
        ("", 0, 0),
        ("a", 1, 1),
        ("a" * 160, 160, 1),
        ("a" * 161, 161, 2),
        ("a" * 306, 306, 2),
        ("a" * 307, 307, 3),
        ("€" * 80, 160, 1),
        ("€" * 81, 162, 2),
        ("a" * 158 + "€", 160, 1),
        ("a" * 159 + "€", 161, 2),
        ("a" * 152 + "€" + "a" * 152, 306, 3),
        ("a" * 151 + "€" + "a" * 153, 306, 2),
        ("é" * 160, 160, 1),
        (to_gsm(SEED_TEXT), 142, 1),
        (to_gsm(SEED_TEXT) + " STOP au 36180", 156, 1),
        ("a" * 1224, 1224, 8),
        ("a" * 1225, 1225, 9),
    ],
)
def test_septets_and_segments(text: str, width: int, cost: int) -> None:
    assert (septets(text), segments(text)) == (width, cost)


@pytest.mark.parametrize("character", ["ê", "ç", "«", "\t", "\u00a0", "’", "\x1b", "œ", "😀"])
def test_what_is_outside_the_alphabet_is_never_counted(character: str) -> None:
    for count_it in (septets, segments):
        with pytest.raises(ValueError, match=rf"^U\+{ord(character):04X} "):
            count_it(f"texte {character}")


def test_the_alphabet_is_that_of_the_norm() -> None:
    for code in range(0x10000):
        character = chr(code)
        if 0xD800 <= code < 0xE000 or character == "\x1b":
            continue
        try:
            width = len(octets(character))
        except UnicodeEncodeError:
            width = 0
        assert width == (1 if character in ALPHABET else 2 if character in ESCAPED else 0), hex(code)


def test_segments_agree_with_an_independent_cut_of_random_texts() -> None:
    """Lengths lie around the ends of one, two and three segments; escaped characters fall on them too."""
    chance = random.Random(338)
    plain, escaped = sorted(ALPHABET - {"\r"}), sorted(ESCAPED)
    lengths = [*range(1, 30), *range(140, 165), *range(290, 310), *range(440, 462)]
    for _ in range(sample(20_000, full=100_000)):
        alphabet = plain + escaped * chance.randrange(0, 6)
        text = "".join(chance.choices(alphabet, k=chance.choice(lengths)))
        sent = parts(text)
        assert (segments(text), septets(text)) == (len(sent), len(octets(text)))
        assert not any(part.endswith(ESCAPE) for part in sent)


def test_any_text_becomes_gsm() -> None:
    chance = random.Random(3)
    ranges = [
        (0x20, 0x7F),
        (0, 0x20),
        (0xA0, 0x180),
        (0x300, 0x370),
        (0x1E00, 0x2300),
        (0x400, 0xD7FF),
        (0xE000, 0x1FFFF),
    ]
    for _ in range(2000):
        text = "".join(chr(chance.randrange(*chance.choice(ranges))) for _ in range(chance.randrange(60)))
        found = to_gsm(text)
        assert segments(found) >= 0
        assert found == to_gsm(unicodedata.normalize("NFD", text))
        octets(found)


@pytest.mark.parametrize("sender", ["BUN", "BU Nice", "BU Montclar", "Biblio 06", "a1b", "ABCDEFGHIJK"])
def test_a_legal_sender(sender: str) -> None:
    check_sender(sender)


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "BU",
        "ABCDEFGHIJKL",
        "1BU",
        " BU1",
        "BU-Nice",
        "Bibliothè",
        "BU.Nice",
        "36180",
        "33612345678",
        "BU1\n",
        "BU  ",
        "Бібліо",
    ],
)
def test_an_illegal_sender_is_refused_in_french(sender: str) -> None:
    with pytest.raises(ValueError, match="3 à 11 lettres"):
        check_sender(sender)


def test_what_makes_a_text_dear_is_named_with_what_is_sent_in_its_place():
    from loan_reminders.domain.sms.text import dear_characters

    found = [(one.character, one.times, one.becomes) for one in dear_characters("Prêt de 5 € : « ça » ê 🎉")]
    assert found == [
        ("ê", 2, "e"), ("€", 1, None), ("«", 1, '"'), ("ç", 1, "c"), ("»", 1, '"'), ("🎉", 1, ""),
    ]  # fmt: skip
    assert dear_characters("Rendre le livre, à la BU") == ()
