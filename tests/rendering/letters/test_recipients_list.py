"""The list of recipients beside the PDF."""

from __future__ import annotations

import csv
import io
import uuid
from dataclasses import replace

import pytest

from loan_reminders.domain.letters.batches import PrintedLetter
from loan_reminders.domain.recipients import PostalAddress
from loan_reminders.domain.stages import Channel
from loan_reminders.rendering.letters.recipients_list import HEADER, recipients_csv
from tests.scenes.foreign_addresses import ADDRESSES


def a_printed_letter(*lines: str, postcode: str = "06000", reference: str = "R1-261204-7ZK3QD") -> PrintedLetter:
    return PrintedLetter(
        delivery_id=uuid.UUID(int=1),
        reference=reference,
        recipient=PostalAddress(lines=lines or ("CAMILLE MARTIN", "12 RUE DES LILAS", "06000 NICE"), postcode=postcode),
        first_page=3,
        pages=2,
    )


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_the_file_is_what_a_french_spreadsheet_opens() -> None:
    content = recipients_csv([a_printed_letter()], kind=Channel.LETTER)
    assert content.startswith(b"\xef\xbb\xbfreference;ligne1;ligne2;")
    assert content.splitlines()[0].decode("utf-8-sig") == (
        "reference;ligne1;ligne2;ligne3;ligne4;ligne5;ligne6;pays;code_pays;niveau;ar;"
        "nb_pages;page_debut;page_fin;numero_recommande;fichier"
    )
    assert content.endswith(b"\r\n")
    assert content.count(b"\r\n") == 2


@pytest.mark.parametrize(
    ("kind", "level", "acknowledged"), [(Channel.LETTER, "", "non"), (Channel.REGISTERED_LETTER, "R2", "oui")]
)
def test_a_line_says_who_where_and_which_pages(kind: Channel, level: str, acknowledged: str) -> None:
    (row,) = rows(recipients_csv([a_printed_letter()], kind=kind, level="R2"))
    assert tuple(row) == HEADER
    assert list(row.values()) == [
        "R1-261204-7ZK3QD", "CAMILLE MARTIN", "12 RUE DES LILAS", "06000 NICE", "", "", "", "FRANCE", "FR", level,
        acknowledged, "2", "3", "4", "", "lettres.pdf",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "postcode", "country", "code"),
    [
        (("A B", "MUSTERSTRASSE 12", "10115 BERLIN", "ALLEMAGNE"), "10115", "ALLEMAGNE", "DE"),
        (("A B", "STRADA MARE 3", "ATLANTIS", "ATLANTIDE"), "", "ATLANTIDE", ""),
        (("A B", "3 BD DES MOULINS", "98000 MONACO"), "98000", "MONACO", "MC"),
    ],
)
def test_the_country_has_its_own_columns(lines: tuple[str, ...], postcode: str, country: str, code: str) -> None:
    (row,) = rows(recipients_csv([a_printed_letter(*lines, postcode=postcode)], kind=Channel.LETTER))
    assert (row["pays"], row["code_pays"]) == (country, code)
    assert "ALLEMAGNE" not in [row[f"ligne{number}"] for number in range(1, 7)]


@pytest.mark.parametrize(
    ("country", "code", "lines"), [(row[0], row[1], (row[2], row[3], row[5][1])) for row in ADDRESSES]
)
def test_the_columns_agree_with_the_address_abroad(country: str, code: str, lines: tuple[str, ...]) -> None:
    address = PostalAddress.parse(name="Élise Dupont", lines=lines)
    letter = replace(a_printed_letter(), recipient=address)
    (row,) = rows(recipients_csv([letter], kind=Channel.LETTER))
    assert (row["pays"], row["code_pays"]) == (country, code)
    assert [row[f"ligne{number}"] for number in range(1, 7) if row[f"ligne{number}"]] == list(address.lines[:-1])


@pytest.mark.parametrize(
    ("lines", "country", "code"),
    [
        (("12 rue des Lilas", "97200 Fort-de-France"), "FRANCE", "FR"),
        (("12 rue des Lilas", "98800 Nouméa", "Nouvelle-Calédonie"), "FRANCE", "FR"),
        (("SP 85212", "00862 ARMEES"), "FRANCE", "FR"),
        (("24 av. Bleue", "06103 Nice Cedex 2"), "FRANCE", "FR"),
        (("3 bd des Moulins", "98000 Monaco"), "MONACO", "MC"),
    ],
)
def test_the_columns_agree_with_the_address_at_home(lines: tuple[str, ...], country: str, code: str) -> None:
    letter = replace(a_printed_letter(), recipient=PostalAddress.parse(name="Élise Dupont", lines=lines))
    (row,) = rows(recipients_csv([letter], kind=Channel.LETTER))
    assert (row["pays"], row["code_pays"]) == (country, code)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_no_cell_runs_as_a_formula(start: str) -> None:
    line = f'{start}HYPERLINK("x";"y")'
    (row,) = rows(recipients_csv([a_printed_letter(line, "1 RUE A", "06000 NICE")], kind=Channel.LETTER))
    assert row["ligne1"] == f"'{line}"


def test_separators_quotes_and_line_ends_stay_within_their_cell() -> None:
    (row,) = rows(recipients_csv([a_printed_letter('A;"B"', "1 RUE\r\nA", "06000 NICE")], kind=Channel.LETTER))
    assert (row["ligne1"], row["ligne2"], row["ligne3"]) == ('A;"B"', "1 RUE A", "06000 NICE")


def test_the_order_is_that_of_the_pdf() -> None:
    letters = [a_printed_letter(reference=f"R1-{number}") for number in (3, 1, 2)]
    assert [row["reference"] for row in rows(recipients_csv(letters, kind=Channel.LETTER))] == ["R1-3", "R1-1", "R1-2"]


def test_a_letter_names_the_file_its_pages_are_in() -> None:
    letters = [replace(a_printed_letter(), volume=volume) for volume in (1, 2)]
    found = rows(recipients_csv(letters, kind=Channel.LETTER, files=("lettres-1.pdf", "lettres-2.pdf")))
    assert [(row["fichier"], row["page_debut"]) for row in found] == [("lettres-1.pdf", "3"), ("lettres-2.pdf", "3")]
