"""Texts in the wrong encoding: mended when that is certain, and a text that is right never changes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loan_reminders.domain.runs.reading.mojibake import repaired, text_of
from tests.sample_sizes import sample

ALPHABETS = {
    "French": "abcdefghijklmnopqrstuvwxyzàâæçéèêëîïôœùûüÿ",
    "German": "abcdefghijklmnopqrstuvwxyzäöüß",
    "Spanish": "abcdefghijlmnopqrstuvyzáéíñóúü",
    "Portuguese": "abcdefghijlmnopqrstuvxzáâãàçéêíóôõú",
    "Italian": "abcdefghilmnopqrstuvzàèéìòù",
    "Danish": "abcdefghijklmnoprstuvyzæøå",
    "Swedish": "abcdefghijklmnoprstuvyzåäöé",
    "Polish": "abcdefghijklłmnoprstuwyzżźćńóśąę",
    "Czech": "abcdefghijklmnoprstuvyzáčďéěíňóřšťúůýž",
    "Hungarian": "abcdefghijklmnoprstuvyzáéíóöőúüű",
    "Romanian": "abcdefghijlmnoprstuvxzăâîșț",
    "Turkish": "abcçdefgğhıijklmnoöprsştuüvyz",
    "Catalan": "abcdefghijlmnopqrstuvxyzàçèéíïòóúü",
    "Estonian": "abdefghijklmnoprsšzžtuvõäöü",
}
AFTER = [" ", "\u00a0", "\u00a0: ", ", ", "’", "'", "-", " – ", "…", " « ", " » ", "\u00a0»", " n° ", " (", ") ", "! ", " & ", " / "]  # noqa: E501 # fmt: skip


@st.composite
def right_texts(draw: st.DrawFn) -> str:
    """A title or a name: words of one language, small, with a capital or in capitals, and what may stand between."""
    letters = st.sampled_from(ALPHABETS[draw(st.sampled_from(sorted(ALPHABETS)))])
    look = draw(st.sampled_from([str, str.title, str.upper, str.capitalize]))
    words = draw(st.lists(st.text(letters, min_size=1, max_size=9), min_size=1, max_size=5))
    pieces = [piece for word in words for piece in (look(word), draw(st.sampled_from(AFTER)))]
    return "".join(pieces if draw(st.booleans()) else pieces[:-1])


@settings(max_examples=sample(500, full=3_000), deadline=None)
@given(right_texts())
def test_a_text_that_is_right_never_changes(text):
    assert repaired(text) == text


@settings(max_examples=sample(200, full=5_000), deadline=None)
@given(right_texts(), st.sampled_from(["latin-1", "windows-1252"]))
def test_what_is_mended_is_what_was_meant_or_nothing_is_touched(text, read_as):
    try:
        spoilt = text.encode().decode(read_as)
    except UnicodeDecodeError:
        return
    assert repaired(spoilt) in (text, spoilt)


@pytest.mark.parametrize(
    ("spoilt", "meant"),
    [
        ("Ã‰lise", "Élise"),
        ("Ã\x89lise", "Élise"),  # the C1 control that Latin-1 has there
        ("HÃ©lÃ¨ne FranÃ§ois", "Hélène François"),
        ("FRANÃ‡OIS", "FRANÇOIS"),
        ("VoilÃ\u00a0 la ville", "Voilà la ville"),
        ("lâ€™Ã©tÃ© dâ€™un siÃ¨cle", "l’été d’un siècle"),
        ("Å“uvres complÃ¨tes", "œuvres complètes"),
        ("ÃƒÂ©tÃƒÂ©", "été"),  # twice
        ("Â« Ubu Â»", "« Ubu »"),
        ("nÂ° 5", "n° 5"),
        ("MÃ¼ller, JÃ¶rg", "Müller, Jörg"),
        ("WaÅ‚Ä™sa", "Wałęsa"),
        ("Prix : 12 â‚¬", "Prix : 12 €"),
        ("\x88Les \x89misÃ©rables", "\x88Les \x89misérables"),  # marks of UNIMARC around what is not sorted by
        ("Â\x88Les Â\x89misÃ©rables", "\x88Les \x89misérables"),
        ("l\x92\x9cuvre", "l’œuvre"),
        ("l\x92été", "l’été"),
    ],
)
def test_what_is_certain_is_mended(spoilt, meant):
    assert repaired(spoilt) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Élise",
        "CAFÉ®",
        "OLALÄ…",
        "IRMÃ…",
        "IRMÃ\u00a0!",
        "MAÇÃ»",
        "Der große Ärger",
        "«Ã» et «Â» en portugais",
        "Élise prÃ©sente",  # half right: nobody knows what the rest was
        "Ã  la recherche",  # the space was a letter, and is lost
        "Caf\ufffd",
        "ألف ليلة وليلة",
        "三国演义",
        "Ã" * 5000,
        "\x88Les \x89misérables",
        "\x98Les\x9c misérables",
        "titre\x98",
    ],
)
def test_what_is_not_certain_is_left(text):
    assert repaired(text) == text


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"Germinal", ("Germinal", False)),
        ("Élise".encode(), ("Élise", False)),
        ("Élise".encode("latin-1"), ("Élise", True)),
        ("l’été à 5 €".encode("windows-1252"), ("l’été à 5 €", True)),
        (b"BUDRT\x00\x00\x00", ("BUDRT", False)),
        ("Les\nMisérables".encode("latin-1"), ("Les\nMisérables", True)),
        (b"\x00\x01\x02", None),
        (b"\xff\xfe\x00A", None),
        (bytes(range(128, 160)), None),
        (b"", ("", False)),
    ],
)
def test_bytes_are_a_text_or_are_not(raw, found):
    assert text_of(raw) == found


@settings(max_examples=sample(300, full=5_000), deadline=None)
@given(st.binary(max_size=40))
def test_bytes_that_are_a_text_have_no_controls(raw):
    found = text_of(raw)
    if found is not None:
        assert not any(ord(sign) < 32 and sign not in "\t\r\n" for sign in found[0])
