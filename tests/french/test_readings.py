"""Words about what was read of the ILS."""

from __future__ import annotations

import pytest

from loan_reminders.domain.loans import CodeKind
from loan_reminders.domain.runs.reading.doubts import Doubt, DoubtKind
from loan_reminders.domain.runs.reading.tally import Reading, UnknownCode
from loan_reminders.domain.stages import Stage
from loan_reminders.french.readings import (
    KEYS,
    code_words,
    codes_advice,
    codes_words,
    doubt_causes,
    doubt_words,
    figures_words,
    reading_words,
)
from loan_reminders.french.runs import books_sentence

LOANS = Stage.OVERDUE_NOTICE


def code(kind=CodeKind.STATUS, code="99", loans=12):
    return UnknownCode(kind=kind, code=code, loans=loans)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (code(), "statut « 99 » (12 prêts)"),
        (code(CodeKind.BRANCH, "BUX", 1), "bibliothèque « BUX » (1 prêt)"),
        (code(CodeKind.TYPE, ""), "type de lecteur vide (12 prêts)"),
        (code(CodeKind.LANGUAGE, None, 340), "langue, codes divers (340 prêts)"),
    ],
)
def test_a_code(one, words):
    assert code_words(one) == words


def test_codes_in_a_sentence_with_what_to_do():
    unknown = (code(), code(CodeKind.LANGUAGE, "OCI", 1))
    assert codes_words(unknown) == "Codes inconnus du SIGB : statut « 99 » (12 prêts), langue « OCI » (1 prêt)"
    advice = codes_advice(unknown)
    assert advice == "À ajouter dans library.toml : ils.patron_categories (statut), ils.languages (langue)"
    assert codes_words(()) == codes_advice(()) == ""
    many = tuple(code(code=str(number)) for number in range(9))
    assert codes_words(many).endswith("et 3 autres codes")
    assert set(KEYS) == set(CodeKind)
    assert "vide" in codes_advice([code(code="")])
    assert "library.toml" not in codes_advice([code(code=None)])


def test_the_keys_are_those_of_the_settings():
    from loan_reminders.settings.library_toml import Settings

    for key in KEYS.values():
        section, name = key.split(".")
        assert name in Settings.model_fields[section].annotation.model_fields


def test_a_reading_without_a_fault_says_nothing():
    assert reading_words(Reading(loans=100, with_email=90)) == []


def test_every_fault_of_a_reading_is_said():
    lines = reading_words(Reading(rejected=1, repaired=12, lost=2, unknown=(code(),), unknown_loans=12))
    assert lines[0] == "1 ligne illisible, écartée avec son motif"
    assert lines[1].startswith("Codes inconnus du SIGB : statut « 99 » (12 prêts). À ajouter dans library.toml")
    assert lines[2].startswith("12 textes réparés")
    assert "2 textes ont des signes perdus" in lines[3]


def test_the_note_of_a_run_names_the_codes():
    reading = Reading(unknown=(code(), code(CodeKind.BRANCH, "", 2), code(CodeKind.TYPE, None, 3)))
    words = figures_words({"loans": 3, **reading.figures()})
    assert words == (
        "Codes inconnus du SIGB : statut « 99 » (12 prêts), bibliothèque vide (2 prêts),"
        " type de lecteur, codes divers (3 prêts)"
    )
    note = books_sentence({"loans": 3, "notices": 2, "balanced": 1, "email": 2, **reading.figures()})
    assert note == f"Comptes justes : 3 prêts à échéance, 2 avis ; 2 e-mails. {words}."


def test_a_doubt_says_what_it_is_how_much_and_how_much_it_was():
    empty = Doubt(kind=DoubtKind.EMPTY_DAY, found=0, usual=143.5, compared=8)
    assert doubt_words(empty, LOANS)[:2] == ("Prêts à cette échéance", "aucun")
    assert "143,5" in doubt_words(empty, LOANS)[2]
    part = Doubt(kind=DoubtKind.FEW_LOANS, found=3, usual=250, compared=8)
    assert doubt_words(part, LOANS) == (
        "Prêts à cette échéance",
        "3",
        "250 (médiane des mêmes jours de semaine, 8 lectures comparées)",
    )
    assert "qu'une partie" in doubt_causes([part], rejected=0, stage=LOANS)[0]
    assert len(doubt_causes([part], rejected=0, stage=LOANS)) == 2
    few = Doubt(kind=DoubtKind.FEW_MOBILES, found=0.31, usual=0.62, compared=10)
    assert doubt_words(few, LOANS) == (
        "Prêts avec un mobile utilisable",
        "31\u00a0%",
        "62\u00a0% (médiane, 10 lectures comparées)",
    )
    causes = " ".join(doubt_causes([empty, few], rejected=40, stage=LOANS))
    for words in ("40 lignes", "fermée", "renommée", "make check-ils"):
        assert words in causes


def test_a_notice_that_is_not_about_loans_has_words_of_its_own():
    stage = Stage("hold_arrived")
    doubts = [Doubt(kind=kind, found=0, usual=50, compared=8) for kind in DoubtKind]
    words = " ".join([*(" ".join(doubt_words(one, stage)) for one in doubts), *doubt_causes(doubts, 0, stage)])
    assert "Demandes de ce jour aucune 50" in words
    assert "ne donne plus ses demandes" in words
    for of_loans in ("prêt", "Prêt", "rendu", "échéance"):
        assert of_loans not in words
