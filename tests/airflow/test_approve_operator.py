"""The task that asks about registered letters, as Airflow runs it."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime

import pytest

from loan_reminders.services.registered.approval import REASONS
from loan_reminders.settings.library_toml import ROOT, read_settings


@pytest.fixture
def asks(monkeypatch):
    """The operator with the services' verbs noted down, and an answer to what waits."""
    from loan_reminders.operators import approve_letters as module

    done: list[tuple[str, dict[str, object]]] = []

    class Ledger:
        def __enter__(self):
            return self

        def __exit__(self, *exc):
            return None

    def verb(name, result):
        def said(ledger, **arguments):
            done.append((name, arguments))
            return result

        return said

    def build(question=None, *, approve_registered=True):
        config = read_settings(ROOT / "library.toml")
        letters = config.letters.model_copy(update={"approve_registered": approve_registered})
        monkeypatch.setattr(
            module.ApproveLetters, "config", property(lambda self: config.model_copy(update={"letters": letters}))
        )
        monkeypatch.setattr(module.ApproveLetters, "ledger", lambda self: Ledger())
        monkeypatch.setattr(module, "approval_question", verb("question", question))
        monkeypatch.setattr(module, "approve", verb("approve", 2))
        monkeypatch.setattr(module, "refuse", verb("refuse", 5))
        return module.ApproveLetters(task_id="approve_letters", run_id=7), done

    return build


def answered(option, **form):
    return {
        "chosen_options": [option],
        "params_input": form,
        "responded_at": datetime(2026, 12, 17, 9, tzinfo=UTC),
        "responded_by_user": {"id": "3", "name": "biblio"},
        "timedout": False,
    }


@pytest.mark.parametrize(("question", "approve_registered"), [(None, True), ("**3 lettres**", False)])
def test_nothing_to_approve_asks_nobody(asks, question, approve_registered):
    operator, _ = asks(question, approve_registered=approve_registered)
    assert operator.execute({}) == 0


def test_a_question_waits_without_a_worker_nor_a_limit(asks, monkeypatch):
    from airflow.providers.standard.operators import hitl
    from airflow.sdk.exceptions import TaskAwaitingInput

    asked = {}
    monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **values: asked.update(values))
    operator, _ = asks("**3 lettres**")
    with pytest.raises(TaskAwaitingInput) as raised:
        operator.execute({"task_instance": type("Instance", (), {"id": "1"})})
    assert (raised.value.method_name, raised.value.timeout) == ("execute_complete", None)
    assert asked["options"] == ["Valider", "Ne rien imprimer"]
    assert asked["body"] == "**3 lettres**"
    assert asked["defaults"] is None
    assert set(asked["params"]) == {"retirer", "motif"}
    for field in asked["params"].values():
        assert (field["value"], field["schema"]["type"]) == (None, ["null", "string"])


@pytest.mark.parametrize(
    ("form", "references", "detail"),
    [
        ({"retirer": "MD-1 MD-2", "motif": REASONS[3]}, "MD-1 MD-2", REASONS[3]),
        ({"retirer": None, "motif": None}, "", ""),
        ({}, "", ""),
    ],
)
def test_an_approval_says_who_and_which_letters_not(asks, form, references, detail):
    operator, done = asks()
    assert operator.execute_complete({}, answered("Valider", **form)) == 2
    arguments = {"run_id": 7, "who": "biblio", "references": references, "detail": detail}
    assert done == [("approve", arguments)]


def test_a_refusal_says_who_and_why(asks):
    operator, done = asks()
    answer = answered("Ne rien imprimer", retirer=None, motif=REASONS[3])
    assert operator.execute_complete({}, answer) == 5
    assert done == [("refuse", {"run_id": 7, "who": "biblio", "detail": REASONS[3]})]


def test_an_unknown_reference_fails_the_task_at_once_in_words(asks, monkeypatch):
    from airflow.sdk.exceptions import AirflowFailException

    from loan_reminders.domain.errors import PermanentError
    from loan_reminders.operators import approve_letters as module

    def unknown(ledger, **arguments):
        raise PermanentError("Rien n'est validé : MD-9")

    operator, _ = asks()
    monkeypatch.setattr(module, "approve", unknown)
    with pytest.raises(AirflowFailException, match="MD-9"):
        operator.execute_complete({}, answered("Valider", retirer="MD-9", motif=REASONS[0]))


def test_the_reason_is_one_of_a_list_so_that_nothing_is_typed_into_airflows_tables(asks, monkeypatch):
    operator, _ = asks()
    schema = operator.serialized_params["motif"]["schema"]
    assert schema["enum"] == [None, *REASONS]


@pytest.mark.parametrize(
    "form",
    [
        {"retirer": "MD-1", "motif": "Camille Martin est à l'hôpital"},
        {"retirer": "MD-1", "motif": 3},
        {"retirer": ["Camille Martin"], "motif": None},
        {"retirer": None, "motif": None, "note": "Camille Martin"},
        {"Camille Martin": "x"},
    ],
)
def test_what_the_form_does_not_allow_is_refused_without_its_words(asks, form):
    from airflow.sdk.exceptions import AirflowFailException

    operator, done = asks()
    with pytest.raises(AirflowFailException, match="Rien n'est validé") as raised:
        operator.execute_complete({}, answered("Valider", **form))
    told = "".join(traceback.format_exception(raised.value))
    assert "Camille" not in told
    assert done == []


def test_what_is_typed_in_place_of_a_reference_is_not_repeated():
    from loan_reminders.domain.errors import PermanentError
    from loan_reminders.services.registered.approval import _found

    with pytest.raises(PermanentError) as raised:
        _found([], "MD-9 Camille Martin, 06 39 98 00 01 camille@etu.example.org 2100000000017")
    assert "MD-9" in str(raised.value)
    for word in ("CAMILLE", "MARTIN", "39", "21000"):
        assert word not in str(raised.value).upper()
