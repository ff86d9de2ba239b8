"""Postal addresses: what an ILS holds becomes what La Poste reads, or a reason why not."""

from __future__ import annotations

import pytest

from loan_reminders.domain.errors import RecipientError
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.domain.recipients.postal_words import fold
from loan_reminders.domain.states import Refusal

NAME = "Élise Dupont"


def parse(*lines: str | None, name: str = NAME, **fields: str | None) -> PostalAddress:
    return PostalAddress.parse(name=name, lines=lines, **fields)


def below_the_name(*lines: str | None, **fields: str | None) -> tuple[str, ...]:
    return parse(*lines, **fields).lines[1:]


@pytest.mark.parametrize(
    ("lines", "fields", "expected"),
    [
        # where the postcode and the town are
        (("12 rue des Lilas", "06000 Nice"), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas", "06000 Nice"), {"postcode": "06000"}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas",), {"postcode": "06000", "city": "Nice"}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas", "Nice"), {"postcode": "06000 "}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas", "Nice"), {"postcode": "06000", "city": "Nice"}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas", "06000"), {"city": "Nice"}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas", "06000", "Nice"), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas 06000 Nice",), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas, 06000 Nice",), {"postcode": "06000"}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas 06000",), {"city": "Nice"}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas", "Nice 06000"), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas", "06 000 NICE"), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas", "F-06000 Nice"), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas", "FR-06000 Nice"), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas", "Nice"), {"postcode": "F-06000"}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas",), {"city": "06000 Nice"}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas",), {"postcode": "06000", "city": "06000 Nice"}, ("12 RUE DES LILAS", "06000 NICE")),
        (("06000 Nice", "12 rue des Lilas"), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas", "06300 Nice"), {"postcode": "06000"}, ("12 RUE DES LILAS", "06300 NICE")),
        (("12 rue des Lilas", "06000 Nice"), {"postcode": "abc"}, ("12 RUE DES LILAS", "06000 NICE")),
        (("10500 route de Grasse", "Nice"), {"postcode": "06200"}, ("10500 ROUTE DE GRASSE", "06200 NICE")),
        (("12 rue des Lilas", "75012 PARIS 12"), {}, ("12 RUE DES LILAS", "75012 PARIS 12")),
        (("12 rue des Lilas", "LYON 3EME"), {"postcode": "69003"}, ("12 RUE DES LILAS", "69003 LYON 3EME")),
        (("2A rue Fesch", "20000 Ajaccio"), {}, ("2A RUE FESCH", "20000 AJACCIO")),
        (("3 rue du Port", "97400 Saint-Denis"), {"country": "La Réunion"}, ("3 RUE DU PORT", "97400 SAINT DENIS")),
        (("3 bd des Moulins", "98000 Monaco"), {"country": "MC"}, ("3 BD DES MOULINS", "98000 MONACO")),
        # CEDEX and boxes
        (("24 av. Bleue", "06103 Nice Cedex 2"), {}, ("24 AV BLEUE", "06103 NICE CEDEX 2")),
        (("24 av. Bleue", "06103 NICE CEDEX02"), {}, ("24 AV BLEUE", "06103 NICE CEDEX 02")),
        (("24 av. Bleue", "35042 Rennes Cédex"), {"postcode": "35000"}, ("24 AV BLEUE", "35042 RENNES CEDEX")),
        (("24 av. Bleue", "B.P. 12345", "06103 Nice Cedex"), {}, ("24 AV BLEUE", "BP 12345", "06103 NICE CEDEX")),
        (("BP 123", "24 av. Bleue", "06103 Nice Cedex"), {}, ("24 AV BLEUE", "BP 123", "06103 NICE CEDEX")),
        (("Boîte postale 123", "06103 Nice Cedex"), {}, ("BP 123", "06103 NICE CEDEX")),
        (("24 av. Bleue", "C.S. 40512", "06103 Nice Cedex"), {}, ("24 AV BLEUE", "CS 40512", "06103 NICE CEDEX")),
        (("TSA 12345", "75480 Paris Cedex 10"), {}, ("TSA 12345", "75480 PARIS CEDEX 10")),
        (("24 av. Bleue", "BP 12345", "Nice"), {"postcode": "06000"}, ("24 AV BLEUE", "BP 12345", "06000 NICE")),
        # the name once, whatever its order and its civility; no empty line, no line twice
        (("Élise Dupont", "12 rue des Lilas", "06000 Nice"), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("DUPONT Elise", "12 rue des Lilas", "06000 Nice"), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("Mme Dupont, Élise", "12 rue des Lilas", "06000 Nice"), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (
            ("Chez M. Dupont", "12 rue des Lilas", "06000 Nice"),
            {},
            ("CHEZ M DUPONT", "12 RUE DES LILAS", "06000 NICE"),
        ),
        (("", None, "12 rue des Lilas", "  ", "06000 Nice"), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas", "12, rue des Lilas", "06000 Nice"), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas", "-", "06000 Nice"), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas", "NC", "06000 Nice"), {}, ("12 RUE DES LILAS", "06000 NICE")),
        # characters
        (("12 rue des Lilas\r\n06000 Nice",), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas\n\n06000 Nice\n",), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue\tdes\u00a0Lilas", "06000\u00a0Nice"), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12, rue de l'Œuvre", "06000 Nice"), {}, ("12 RUE DE L OEUVRE", "06000 NICE")),
        (("12 rue de l’Été", "L'Haÿ-les-Roses"), {"postcode": "94240"}, ("12 RUE DE L ETE", "94240 L HAY LES ROSES")),
        (("12 bis, rue Émile-Zola", "06000 Nice"), {}, ("12 BIS RUE EMILE ZOLA", "06000 NICE")),
        (("12 rue de l'E\u0301te\u0301", "06000 Nice"), {}, ("12 RUE DE L ETE", "06000 NICE")),
        (("n°12 rue des Lilas", "06000 Nice"), {}, ("N 12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas\u200b", "\ufeff06000 Nice"), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("Cité Dupuy & Fils", "4 rue Haute", "06000 Nice"), {}, ("CITE DUPUY ET FILS", "4 RUE HAUTE", "06000 NICE")),
        # France is never a line
        (("12 rue des Lilas", "06000 Nice", "France"), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas", "06000 Nice FRANCE"), {}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas", "06000 Nice"), {"country": "FR"}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas", "06000 Nice"), {"country": "NC"}, ("12 RUE DES LILAS", "06000 NICE")),
        (("12 rue des Lilas", "06000 Nice", "FR"), {"country": "FR"}, ("12 RUE DES LILAS", "06000 NICE")),
    ],
)
def test_a_french_address_is_laid_out_by_the_norm(
    lines: tuple[str | None, ...], fields: dict[str, str], expected: tuple[str, ...]
) -> None:
    address = parse(*lines, **fields)
    assert address.lines == ("ELISE DUPONT", *expected)
    assert address.postcode == expected[-1][:5]


@pytest.mark.parametrize(
    ("lines", "fields", "expected"),
    [
        (("Musterstraße 12", "10115 Berlin", "Allemagne"), {}, ("MUSTERSTRASSE 12", "10115 BERLIN", "ALLEMAGNE")),
        (
            ("Musterstraße 12", "Berlin"),
            {"postcode": "10115", "country": "DE"},
            ("MUSTERSTRASSE 12", "10115 BERLIN", "ALLEMAGNE"),
        ),
        (
            ("Rue Haute 3",),
            {"postcode": "1000", "city": "Bruxelles", "country": "Belgium"},
            ("RUE HAUTE 3", "1000 BRUXELLES", "BELGIQUE"),
        ),
        (("Via Roma 1", "00184 Roma", "ITALIA"), {"country": "FR"}, ("VIA ROMA 1", "00184 ROMA", "ITALIE")),
        (
            ("10 Downing St.", "London"),
            {"postcode": "SW1A 1AA", "country": "UK"},
            ("10 DOWNING ST", "LONDON SW1A 1AA", "ROYAUME UNI"),
        ),
        (
            ("ul. Prosta 51", "00-838 Warszawa"),
            {"country": "Poland"},
            ("UL PROSTA 51", "00-838 WARSZAWA", "POLOGNE"),
        ),
        (
            ("5 rue 12/3", "Tunis"),
            {"postcode": "1002", "country": "TUNISIE"},
            ("5 RUE 12/3", "1002 TUNIS", "TUNISIE"),
        ),
        (("Strada Mare 3", "Atlantis"), {"country": "Atlantide"}, ("STRADA MARE 3", "ATLANTIS", "ATLANTIDE")),
        (("1 Main Street", "Dublin", "Irlande"), {}, ("1 MAIN STREET", "DUBLIN", "IRLANDE")),
        (
            ("12 rue X", "Abidjan"),
            {"country": "Côte d'Ivoire"},
            ("12 RUE X", "ABIDJAN", "COTE D IVOIRE"),
        ),
    ],
)
def test_abroad_the_country_comes_last_in_french(
    lines: tuple[str, ...], fields: dict[str, str], expected: tuple[str, ...]
) -> None:
    assert below_the_name(*lines, **fields) == expected


@pytest.mark.parametrize(
    ("lines", "fields", "code"),
    [
        ((), {}, Refusal.MISSING),
        ((None, "", "   "), {"postcode": " ", "city": ""}, Refusal.MISSING),
        (("Élise Dupont",), {}, Refusal.MISSING),
        (("?", "..."), {}, Refusal.MISSING),
        (("06000 Nice",), {}, Refusal.TOO_FEW_LINES),
        ((), {"postcode": "06000", "city": "Nice"}, Refusal.TOO_FEW_LINES),
        (("12 rue des Lilas",), {"postcode": "06000"}, Refusal.TOO_FEW_LINES),
        (("12 rue des Lilas", "Avenue Foch"), {"postcode": "06000"}, Refusal.TOO_FEW_LINES),
        (("Paris",), {"country": "DE"}, Refusal.TOO_FEW_LINES),
        (("12 rue des Lilas", "Nice"), {}, Refusal.NO_POSTCODE),
        (("12 rue des Lilas", "Nice"), {"postcode": "6000"}, Refusal.NO_POSTCODE),
        (("12 rue des Lilas", "Nice"), {"postcode": "00000"}, Refusal.NO_POSTCODE),
        (("12 rue des Lilas", "96000 Nulle Part"), {}, Refusal.NO_POSTCODE),
        (("12 rue des Lilas", "99999 Nulle Part"), {}, Refusal.NO_POSTCODE),
        (("SDF", "06000 Nice"), {}, Refusal.HOMELESS),
        (("S.D.F.", "06000 Nice"), {}, Refusal.HOMELESS),
        (("Sans domicile fixe", "06000 Nice"), {}, Refusal.HOMELESS),
        (("inconnue", "06000 Nice"), {}, Refusal.DUMMY),
        (("Adresse inconnue",), {"postcode": "06000", "city": "Nice"}, Refusal.DUMMY),
        (("x",), {"postcode": "00000"}, Refusal.DUMMY),
        (("Néant", "xxx"), {}, Refusal.DUMMY),
        (("N.P.A.I.", "12 rue des Lilas", "06000 Nice"), {}, Refusal.DUMMY),
        (("12 rue des Lilas (NPAI)", "06000 Nice"), {}, Refusal.DUMMY),
        (("1 rue des Très Longues Appellations Impossibles À Raccourcir", "06000 Nice"), {}, Refusal.LINE_TOO_LONG),
        (("12 rue Haute", "06000 Villeneuve de la Très Longue Dénomination"), {}, Refusal.LINE_TOO_LONG),
        (("1 rue A", "2 rue B", "3 rue C", "4 rue D", "5 rue E", "06000 Nice"), {}, Refusal.TOO_MANY_LINES),
        (("12 rue des Lilas", "06000 Nice"), {"country": "QQ"}, Refusal.COUNTRY_NOT_ALLOWED),
    ],
)
def test_what_cannot_be_posted_is_refused_with_its_reason(
    lines: tuple[str | None, ...], fields: dict[str, str], code: Refusal
) -> None:
    with pytest.raises(RecipientError) as caught:
        parse(*lines, **fields)
    assert caught.value.code is code


@pytest.mark.parametrize("name", ["", "   ", "?"])
def test_an_address_without_a_name_is_refused(name: str) -> None:
    with pytest.raises(RecipientError) as caught:
        parse("12 rue des Lilas", "06000 Nice", name=name)
    assert caught.value.code is Refusal.MISSING


def test_the_refusal_never_repeats_the_address() -> None:
    with pytest.raises(RecipientError) as caught:
        parse("12 rue des Lilas", name="Élise Dupont")
    assert "lilas" not in str(caught.value).lower()
    assert "dupont" not in str(caught.value).lower()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Élise Dupont", ("ELISE DUPONT",)),
        ("DUPONT, Élise", ("ELISE DUPONT",)),
        ("Mme Dupont", ("MME DUPONT",)),
        ("O'Neil", ("O NEIL",)),
        ("Jean-Noël  Nguyễn", ("JEAN NOEL NGUYEN",)),
        ("Łukasz Þórsson Đặng", ("LUKASZ THORSSON DANG",)),
        ("王小明", ("王小明",)),
        ("Сергей Иванов", ("СЕРГЕЙ ИВАНОВ",)),
        (
            "Marie-Christine de La Rochefoucauld-Montmorency",
            ("MARIE CHRISTINE DE LA ROCHEFOUCAULD", "MONTMORENCY"),
        ),
        ("Monsieur le Professeur Jean-Baptiste Poquelin", ("M LE PR JEAN BAPTISTE POQUELIN",)),
    ],
)
def test_the_name_comes_first(name: str, expected: tuple[str, ...]) -> None:
    address = parse("12 rue des Lilas", "06000 Nice", name=name)
    assert address.lines == (*expected, "12 RUE DES LILAS", "06000 NICE")


def test_a_name_that_fills_two_lines_and_more_is_refused() -> None:
    with pytest.raises(RecipientError) as caught:
        parse("12 rue des Lilas", "06000 Nice", name="X" * 39)
    assert caught.value.code is Refusal.LINE_TOO_LONG


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("122 avenue du Général de Gaulle", ("122 AVENUE DU GENERAL DE GAULLE",)),
        ("1122 avenue du Maréchal de Lattre de Tassigny", ("1122 AV DU MAL DE LATTRE DE TASSIGNY",)),
        ("112 boulevard du Docteur Saint-Exupéry Lacassagne", ("112 BD DU DR ST EXUPERY LACASSAGNE",)),
        ("Résidence Les Jardins de la Méditerranée", ("RES LES JARDINS DE LA MEDITERRANEE",)),
        (
            "Bâtiment C, Appartement 12, Résidence du Grand Parc",
            ("BATIMENT C", "APPARTEMENT 12", "RESIDENCE DU GRAND PARC"),
        ),
        (
            "Résidence les Lilas Bleus, 12, rue des Lilas Fleuris",
            ("RESIDENCE LES LILAS BLEUS", "12 RUE DES LILAS FLEURIS"),
        ),
        ("Villa Les Jolies Collines 12 bis avenue des Fleurs", ("VILLA LES JOLIES COLLINES", "12 BIS AV DES FLEURS")),
    ],
)
def test_long_lines_are_shortened_only_when_they_must(line: str, expected: tuple[str, ...]) -> None:
    assert below_the_name(line, "06000 Nice") == (*expected, "06000 NICE")


def test_a_long_town_takes_its_short_form() -> None:
    assert below_the_name("1 rue Haute", "78180 Saint-Rémy de la Haute Vallée Sainte")[-1] == (
        "78180 ST REMY DE LA HAUTE VALLEE STE"
    )


def test_short_lines_are_joined_before_the_address_is_refused_for_its_height() -> None:
    lines = below_the_name("Bât. C", "Esc. 2", "Apt 12", "Résidence du Parc", "12 rue des Lilas", "06000 Nice")
    assert lines == ("BAT C ESC 2", "APT 12", "RESIDENCE DU PARC", "12 RUE DES LILAS", "06000 NICE")


def test_every_line_fits_the_envelope() -> None:
    address = parse("Résidence des Quatre Saisons, Bâtiment B", "1 rue A", "06000 Nice", name="A " * 30)
    assert len(address.lines) <= 6
    assert all(0 < len(line) <= 38 for line in address.lines)


@pytest.mark.parametrize("text", ["Å", "ﬁ", "①", "Ｎｉｃｅ", "½", "\ud800", "ǅ", "İ", "ŉ"])
def test_folding_never_fails_and_leaves_nothing_odd(text: str) -> None:
    folded = fold(text)
    assert folded == folded.upper()
    assert all(character.isalnum() or character == " " for character in folded)
