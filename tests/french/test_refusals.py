"""Every code of an error has its sentence, and each names what it is about."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from importlib import import_module
from pkgutil import walk_packages

import pytest

import loan_reminders.domain
from loan_reminders.domain.errors import (
    RETRIED,
    CodedError,
    LedgerFault,
    LedgerRefusal,
    LedgerRefused,
    LedgerUnavailable,
    LetterStepRefused,
    PermanentError,
)
from loan_reminders.domain.letters.batches import BatchRefusal, RegisteredState, ReturnReason, ReturnRefusal
from loan_reminders.domain.registered.steps import Life, NumbersFileRefusal, StepRefusal
from loan_reminders.domain.states import Refusal
from loan_reminders.french.refusals import LEDGER_FAULTS, SENTENCES, sentence

S = RegisteredState
DAY = date(2026, 12, 4)
FACTS = {
    "reference": "R3-1",
    "number": "1A 234 567 8901 2",
    "day": DAY,
    "today": DAY,
    "previous": S.PRINTED,
    "previous_day": DAY,
    "life": Life(state=S.POSTED, posted_on=DAY),
    "batch_id": 7,
    "run_id": 8,
    "last": DAY,
    "opens_at": DAY,
    "channel": "email",
    "library": "demo",
    "delivery_id": "d-1",
    "command": "upgrade",
    "revision": "0001",
    "wanted": "0007",
    "why": "éteint",
    "fault": LedgerFault.DISK_FULL,
    "contact": Refusal.INVALID_NUMBER,
    "sqlstate": "53100",
    "kind": "DiskFull",
    "place": "",
    "words": "refused",
    "text": "hier",
    "length": 13,
    "signs": 5,
    "line": 3,
    "lines": 10_000,
    "megabytes": 2,
}
"""All that a sentence may name."""


def refusal_lists() -> set[type[StrEnum]]:
    """The closed lists of the domain that are called refusals, but for what is wrong with a reader's contact."""
    package = loan_reminders.domain
    modules = [import_module(found.name) for found in walk_packages(package.__path__, f"{package.__name__}.")]
    lists = {
        value
        for module in modules
        for name, value in vars(module).items()
        if name.endswith("Refusal") and isinstance(value, type) and issubclass(value, StrEnum)
    }
    return lists - {Refusal}


def test_every_list_of_refusals_has_its_sentences():
    assert set(SENTENCES) == refusal_lists()


@pytest.mark.parametrize("codes", SENTENCES, ids=lambda codes: codes.__name__)
def test_every_code_has_a_sentence(codes):
    assert set(SENTENCES[codes]) == set(codes)
    for code in codes:
        said = sentence(CodedError(code, **FACTS))
        assert said[0].isupper() or said.startswith("reference_date = ")
        assert "{" not in said
        assert code.value not in said or "_" not in code.value


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            LetterStepRefused(StepRefusal.NOT_PRINTED),
            "Cette lettre est « à imprimer ». Il faut d'abord marquer son lot comme imprimé, sur la page des lots.",
        ),
        (
            LetterStepRefused(StepRefusal.NO_NUMBER),
            "Cette lettre est « imprimé, sans numéro ». Il faut d'abord lui donner son numéro de recommandé.",
        ),
        (
            LetterStepRefused(
                StepRefusal.ALREADY_ANSWERED,
                life=Life(state=S.RETURNED, returned_on=DAY, return_reason=ReturnReason.UNCLAIMED),
            ),
            "Cette lettre est déjà notée « revenu le 04/12/2026 : non réclamé » : annuler d'abord sa dernière étape si"
            " c'est une erreur.",
        ),
        (
            LetterStepRefused(StepRefusal.BEFORE_PREVIOUS_STEP, day=DAY, previous=S.POSTED, previous_day=DAY),
            "Le 04/12/2026 est avant le dépôt à la poste, le 04/12/2026.",
        ),
        (
            LetterStepRefused(NumbersFileRefusal.NOT_CSV, line=3),
            "Ce fichier ne peut pas être lu : la ligne 3 n'est pas du CSV. Rien n'a été changé.",
        ),
        (
            LetterStepRefused(ReturnRefusal.NOT_PRINTED, reference="R1-0"),
            "La lettre R1-0 n'a pas été imprimée. Il faut d'abord marquer son lot comme imprimé.",
        ),
        (
            LetterStepRefused(ReturnRefusal.UNKNOWN_LETTER, reference="{0} {x}"),
            "Aucune lettre n'a la référence {0} {x}.",
        ),
        (LetterStepRefused(BatchRefusal.UNKNOWN_BATCH, batch_id=7), "Il n'y a pas de lot n° 7."),
        (
            LedgerRefused(LedgerRefusal.UNKNOWN_RUN, library="demo", run_id=8),
            "Le registre de la bibliothèque demo n'a pas de tournée 8. Relancer « Extraire les prêts ».",
        ),
        (
            LedgerUnavailable(LedgerRefusal.ANOTHER_TASK_PRINTS),
            f"Une autre tâche imprime déjà les lettres de cette tournée. {RETRIED}",
        ),
        (
            LedgerRefused(LedgerRefusal.UNUSABLE, fault=LedgerFault.NO_TABLE, sqlstate="42P01", command="migrate"),
            "Le registre est inutilisable : il manque une table, lancer `migrate` (SQLSTATE 42P01)."
            " Prévenir l'administrateur.",
        ),
        (PermanentError("Sa propre phrase."), "Sa propre phrase."),
    ],
)
def test_what_an_error_says(error, words):
    assert sentence(error) == words


def test_every_fault_of_the_database_has_words():
    assert set(LEDGER_FAULTS) == set(LedgerFault)


def test_two_lists_with_the_same_code_say_each_its_own():
    step, back = StepRefusal.LEFT_OUT, ReturnRefusal.LEFT_OUT
    assert step.value == back.value
    assert sentence(LetterStepRefused(step)) != sentence(LetterStepRefused(back, reference="R1-0"))
