"""A list of readers who said yes or no, as libraries send them: what is taken, what is left out, what is refused."""

from __future__ import annotations

import pytest

from loan_reminders.domain.loans import SmsChoice
from loan_reminders.domain.sms.choices import (
    MOST_LINES,
    FileFault,
    LineFault,
    ReaderColumn,
    UnusableFile,
    read_choice,
    read_file,
)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", FileFault.EMPTY),
        (b"\r\n ;; \r\n", FileFault.EMPTY),
        (b"\xef\xbb\xbf", FileFault.EMPTY),
        (b"PK\x03\x04\x00\x00sheet", FileFault.NOT_TEXT),
        (b"2100;oui\n2101;non\n", FileFault.NO_HEADER),
        (b"carte;accord\n2100;oui\n", FileFault.NO_HEADER),
        (b"carte;sms\n" + b"2100;oui\n" * (MOST_LINES + 1), FileFault.TOO_MANY_LINES),
    ],
)
def test_a_file_of_which_nothing_can_be_taken(content, fault):
    with pytest.raises(UnusableFile) as refused:
        read_file(content)
    assert refused.value.fault is fault


def test_lines_that_cannot_be_taken_are_named_and_the_others_stay():
    text = "Nom;Carte;SMS\nZoé;21;oui\nLéa;;oui\nTom;22;peut-être\nAna;23\nEva;24;NON\n;;\nLou;" + "9" * 201 + ";oui\n"
    found = read_file(text.encode("cp1252"))
    assert found.column is ReaderColumn.CARD
    assert [(line.number, line.reader, line.choice) for line in found.lines] == [
        (2, "21", SmsChoice.YES), (6, "24", SmsChoice.NO),
    ]  # fmt: skip
    assert found.faults == {
        3: LineFault.NOBODY, 4: LineFault.NOT_YES_OR_NO, 5: LineFault.NOT_YES_OR_NO, 8: LineFault.TOO_LONG,
    }  # fmt: skip


def test_two_lines_that_contradict_each_other_are_both_left_out():
    found = read_file(b"lecteur,sms\nP1,oui\nP2,oui\nP1,non\nP2,oui\n")
    assert found.column is ReaderColumn.READER
    assert [line.reader for line in found.lines] == ["P2", "P2"]
    assert found.faults == {2: LineFault.CONTRADICTION, 4: LineFault.CONTRADICTION}


@pytest.mark.parametrize(("parted", "mark"), [(";", b""), (",", b""), ("\t", b"\xef\xbb\xbf")])
def test_the_usual_forms_of_csv(parted, mark):
    content = mark + f'sms{parted}carte\r\n"1"{parted}"0021"\r\n'.encode()
    [line] = read_file(content).lines
    assert (line.reader, line.choice) == ("0021", SmsChoice.YES)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        (" Oui ", SmsChoice.YES),
        ("X", SmsChoice.YES),
        ("0", SmsChoice.NO),
        ("Non", SmsChoice.NO),
        ("", None),
        ("?", None),
    ],
)
def test_yes_and_no_as_people_write_them(text, choice):
    assert read_choice(text) is choice
