"""When a word takes its plural, and that no sentence of the program decides it by itself."""

from __future__ import annotations

import re

import pytest

from loan_reminders.french.plurals import many, number_words, one_or_many
from loan_reminders.settings.library_toml import ROOT

PACKAGE = ROOT / "plugins" / "loan_reminders"
HAND_MADE = re.compile(r"""\w\(s\)|"s" if |'s' if """)
"""« prêt(s) », or an « s » glued to a word."""


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 lettre"), (1, "1 lettre"), (2, "2 lettres"), (1204, "1\N{NARROW NO-BREAK SPACE}204 lettres")],
)
def test_the_plural_begins_at_two(number, words):
    assert many(number, "lettre", "lettres") == words
    assert words == f"{number_words(number)} {one_or_many(number, 'lettre', 'lettres')}"


def test_no_plural_is_made_by_hand():
    by_hand = [path.name for path in PACKAGE.rglob("*.py") if HAND_MADE.search(path.read_text(encoding="utf-8"))]
    assert by_hand == []


NEVER_ONE = {
    "il a plus de {lines} lignes",
    "Essais à blanc de plus de %d jours",
    "plus {left} des {count} prêts",
    "plus aucun des {count} prêts",
    "environ {days} jours",
    "{failures} retours de suite",  # a code of the ledger, read by `failed_in_a_row`
    "{len(item.days)} jours",
    "les comptes des {len(closed)} tournées",
    "{1 + more} lignes",
    "sous {DECIDES} jours",  # 7
    "{NOT_A_CAUSE} les lecteurs",  # no number
    "a plus de {number_words(MOST_LINES)} lignes",
}
"""What is only said of several: a limit, or the second branch of a choice."""
THINGS = (
    *("envois", "lettres", "prêts", "e-mails", "lignes", "messages", "jours", "lecteurs", "retours", "tournées"),
    *("adresses", "numéros", "comptes rendus", "SMS sont", "SMS ont", "SMS restent"),
)
COUNTED = re.compile(rf"(?:%[ds]|\{{[^{{}}]*\}}) (?:[a-zà-ÿ]+ )?(?:{'|'.join(THINGS)})\b")


def test_no_sentence_counts_one_thing_in_the_plural():
    found = [
        f"{path.name}: {match[0]}"
        for path in PACKAGE.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        for match in COUNTED.finditer(line)
        if not any(known in line for known in NEVER_ONE)
    ]
    assert found == [], "to be said by `many`, or as « Lettres : 1 »"
