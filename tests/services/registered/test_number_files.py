"""Files of registered numbers, however they were saved, and what is noted of a letter by its number."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.errors import LetterStepRefused
from loan_reminders.domain.ports.registered import StepTaken
from loan_reminders.domain.registered.steps import NumbersFileRefusal, StepRefusal
from loan_reminders.french.refusals import sentence
from loan_reminders.services.registered import following as service

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 12, 21, 10, tzinfo=PARIS)
OURS, OTHER = "1A23456789012", "2C00000000018"


class Books:
    """Letters by reference, each with its number; what is attached is kept."""

    def __init__(self, **numbers):
        self.numbers = {name.replace("_", "-"): number for name, number in numbers.items()}

    def attach_all(self, lines, *, who):
        return [self._one(line) for line in lines]

    def take(self, step, *, number, who):
        raise AssertionError("nothing may be noted")

    def _one(self, line):
        if line.reference not in self.numbers:
            return LetterStepRefused(StepRefusal.UNKNOWN_REFERENCE, reference=line.reference)
        changed = self.numbers[line.reference] != line.number.value
        self.numbers[line.reference] = line.number.value
        return StepTaken(delivery_id=uuid.uuid4(), reference=line.reference, changed=changed)


HEADER = "reference;ligne1;numero_recommande"


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}\r\nR3-1;É;{OURS}\r\nR3-2;x;{OTHER}\r\n".encode("utf-8-sig"),
        f"{HEADER}\nR3-1;É;{OURS}\nR3-2;x;{OTHER}".encode("cp1252"),
        f"numero_recommande,autre,reference\n1A 234 567 8901 2,é,r3-1\n{OTHER},,R3-2\n".encode(),
        f'Reference ;"Numero_Recommande"\n\'R3-1;\'{OURS}\n"R3-2";"*{OTHER}*"\n\n;;\n'.encode(),
    ],
)
def test_a_file_of_numbers_is_read_however_it_was_saved(content):
    books = Books(R3_1=None, R3_2=None)
    first = service.import_numbers(books, content, who="zoé")
    assert (first.attached, first.unchanged, first.without_number, first.problems) == (2, 0, 0, ())
    assert books.numbers == {"R3-1": OURS, "R3-2": OTHER}
    again = service.import_numbers(books, content, who="zoé")
    assert (again.attached, again.unchanged) == (0, 2)


def test_wrong_lines_are_told_by_their_number_and_the_good_ones_are_kept():
    books = Books(R3_1=None, R3_2=None)
    lines = [HEADER, "R3-1;a;1A2345", 'R3-1;"une\nadresse";RK123456784FR', f"R9-9;c;{OTHER}", f";d;{OTHER}", "R3-2;e;",
             f"R3-2;f;{OURS}", "R3-2"]  # fmt: skip
    done = service.import_numbers(books, "\n".join(lines).encode(), who="zoé")
    assert (done.attached, done.without_number) == (1, 2)
    assert [line for line, _ in done.problems] == [2, 4, 5, 6]
    said = [sentence(refused) for _, refused in done.problems]
    assert ["6" in said[0], "clé" in said[1]] == [True, True]
    assert "R9-9" in said[2]
    assert "référence" in said[3]
    assert books.numbers == {"R3-1": None, "R3-2": OURS}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "nommer les colonnes"),
        (b"\xff\xfe\x81r\x00e\x00", "UTF-8"),
        (b"reference;numero\nR3-1;x\n", "nommer les colonnes"),
        (f"reference;reference;numero_recommande\nR3-1;R3-2;{OURS}".encode(), "deux fois"),
        (b"x" * (service.LARGEST_FILE + 1), "2 Mo"),
        (f"{HEADER}\n".encode() + b'R3-1;"' + b"x" * 200_000 + b'";1\n', "CSV"),
        (f"{HEADER}\n".encode() + b"R3-1;x;\n" * (service.MOST_LINES + 1), "lignes"),
    ],
)
def test_what_is_no_file_of_numbers_is_refused_whole(content, words):
    with pytest.raises(LetterStepRefused) as refused:
        service.import_numbers(Books(), content, who="zoé")
    assert isinstance(refused.value.code, NumbersFileRefusal)
    assert words in sentence(refused.value)
    assert "Rien n'a été changé" in sentence(refused.value)


@pytest.mark.parametrize(
    ("day", "outcome", "code"),
    [("", "recu", "no_date"), ("hier", "poste", "no_date"), ("2026-12-20", "", "no_outcome")],
)
def test_what_is_noted_needs_a_day_and_an_outcome(day, outcome, code):
    with pytest.raises(LetterStepRefused) as refused:
        service.note_outcome(Books(), text=OURS, outcome=outcome, day=day, now=NOW, who="zoé")
    assert refused.value.code == code


def test_an_address_is_bad_from_the_end_of_the_day_or_now():
    assert service.bad_since(date(2026, 12, 19), NOW) == datetime(2026, 12, 20, tzinfo=PARIS)
    assert service.bad_since(date(2026, 12, 21), NOW) == NOW
