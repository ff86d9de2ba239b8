"""What an error may say in Airflow's log: its class and its place, never the words of what caused it."""

from __future__ import annotations

import ast
import traceback
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException

import loan_reminders
from loan_reminders.domain import errors
from loan_reminders.domain.registered.tracking_number import clean_reference
from loan_reminders.operators.base import only_temporary_errors_are_retried

READER = "camille.martin@etu.example.org"


def chained(told):
    """An error of ours that came of one with a reader's data in its words."""
    try:
        raise KeyError(READER)
    except KeyError as cause:
        raise told from cause


def failed(raising):
    with pytest.raises(Exception) as raised, only_temporary_errors_are_retried():  # noqa: PT011
        raising()
    return raised.value, "".join(traceback.format_exception(raised.value))


def unexpectedly():
    return {}[READER]


def in_a_group():
    raise ExceptionGroup(READER, [ValueError(READER)])


@pytest.mark.parametrize("raising", [unexpectedly, in_a_group])
def test_an_unexpected_error_is_its_class_and_place(raising):
    error, log = failed(raising)
    assert isinstance(error, AirflowFailException)
    assert READER not in log
    assert str(error).startswith("Erreur inattendue : ")


def test_an_unexpected_error_says_where():
    error, _ = failed(lambda: clean_reference(None))
    assert str(error).startswith("Erreur inattendue : AttributeError (domain/registered/tracking_number.py:")


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (errors.PermanentError("Le registre refuse."), AirflowFailException),
        (errors.SettingsError("library.toml"), AirflowFailException),
        (errors.LedgerUnavailable("Le registre ne répond pas."), errors.LedgerUnavailable),
        (errors.LetterStoreUnavailable("Le dossier refuse."), errors.LetterStoreUnavailable),
    ],
)
def test_an_expected_error_says_its_own_words_and_not_its_causes(told, kind):
    error, log = failed(lambda: chained(told))
    assert isinstance(error, kind)
    assert str(told) in log
    assert READER not in log


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (errors.LedgerUnavailable(errors.LedgerRefusal.ANOTHER_TASK_PRINTS), "Une autre tâche imprime déjà"),
        (errors.LedgerRefused(errors.LedgerRefusal.ALREADY_PLANNED, run_id=8), "La tournée 8 est déjà préparée."),
    ],
)
def test_an_error_with_a_code_says_its_sentence(told, words):
    _, log = failed(lambda: chained(told))
    assert words in log
    assert READER not in log


def test_the_place_is_the_last_of_our_own_lines():
    from loan_reminders.domain.recipients import MobileNumber

    try:
        MobileNumber.parse(READER)
    except errors.RecipientError as error:
        told = errors.unexpected(error)
    assert told.startswith("RecipientError (domain/recipients/mobile_number.py:")
    assert errors.unexpected(KeyError(READER)) == "KeyError"


def test_nothing_chains_an_error_whose_words_are_not_ours():
    """`raise … from error` would show the cause's words in any log that prints the error."""
    for path in Path(loan_reminders.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and node.cause is not None:
                assert isinstance(node.cause, ast.Constant), f"{path}:{node.lineno}"
