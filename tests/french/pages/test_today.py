"""What the first page says: every state and verdict in a librarian's words."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.alerts import FailureCause
from loan_reminders.domain.runs.day_state import DayState, StageDay, TaskAt, TaskStep, verdict
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.french.days import hour_words, long_day_words, near_words
from loan_reminders.french.pages.stage_advice import CAUSES, advice_words
from loan_reminders.french.pages.today import (
    ICONS,
    balance_words,
    lasting_words,
    offset_words,
    state_words,
    tomorrow_words,
    verdict_words,
)
from loan_reminders.french.plurals import number_words

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 30, 10, 42, tzinfo=PARIS)
TEN = NOW.replace(minute=3)
S = DayState


def plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (TEN, "à 10 h 03"),
        (NOW.replace(hour=7, minute=0) - timedelta(days=1), "hier à 7 h"),
        (NOW.replace(hour=7, minute=0) + timedelta(days=1), "demain à 7 h"),
        (NOW - timedelta(days=2), "samedi 28 novembre à 10 h 42"),
        (NOW.replace(month=12, day=1, year=2025), "lundi 1er décembre 2025 à 10 h 42"),
    ],
)
def test_an_hour_that_is_near_is_said_as_people_say_it(moment, words):
    assert plain(near_words(moment.astimezone(ZoneInfo("UTC")), NOW, zone=PARIS)) == words


def test_days_and_hours_are_those_of_the_library():
    assert long_day_words(date(2026, 12, 1)) == "mardi 1er décembre 2026"
    assert plain(hour_words(datetime(2026, 7, 1, 5, 0, tzinfo=ZoneInfo("UTC")), zone=PARIS)) == "7 h"


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (StageDay(state=S.NOT_YET, at=TEN), "pas encore : prévue à 10 h 03"),
        (StageDay(state=S.LATE, at=TEN), "attendue depuis 10 h 03"),
        (StageDay(state=S.QUEUED), "attend son tour"),
        (StageDay(state=S.RUNNING, at=TEN), "en cours depuis 10 h 03"),
        (StageDay(state=S.WAITS_FOR_WINDOW, at=TEN + timedelta(days=1)), "SMS : partiront demain à 10 h 03"),
        (StageDay(state=S.WAITS_FOR_VOLUME), "à confirmer"),
        (StageDay(state=S.WAITS_FOR_APPROVAL), "attend votre accord"),
        (StageDay(state=S.RETRYING, at=TEN, tasks=("extract_loans",)), "nouvel essai à 10 h 03"),
        (StageDay(state=S.STOPPED, tasks=("send_sms",)), "arrêtée : « Envoyer les SMS »"),
        (StageDay(state=S.NOT_BALANCED), "comptes à revoir"),
        (StageDay(state=S.NEVER_CLOSED), "commencée, jamais close"),
        (StageDay(state=S.WITHOUT_BOOKS), "déclarée faite, sans comptes"),
        (StageDay(state=S.PAUSED), "en pause"),
        (StageDay(state=S.MISSED, at=TEN), "manquée : prévue à 10 h 03"),
        (StageDay(state=S.BROKEN), "illisible pour Airflow"),
        (StageDay(state=S.REFUSED), "envoi refusé"),
        (StageDay(state=S.TO_PRINT, letters=4), "4 lettres à imprimer"),
        (StageDay(state=S.DONE, at=TEN), "faite à 10 h 03"),
    ],
)
def test_each_state_has_its_words_its_drawing_and_says_what_to_do(day, words):
    assert plain(state_words(day, NOW, zone=PARIS)) == words
    assert ICONS[day.state]
    silent = {S.NOT_YET, S.RUNNING, S.TO_PRINT, S.DONE}
    assert bool(advice_words(day)) is (day.state not in silent)
    assert not set(advice_words(day).lower().split()) & {state.value for state in DayState}


def test_each_cause_of_a_failure_has_its_words():
    assert set(CAUSES) == set(FailureCause)
    failed = TaskAt(task_id="extract_loans", step=TaskStep.FAILED, cause=FailureCause.ILS_SILENT)
    day = StageDay(state=S.STOPPED, tasks=("extract_loans",), failed=failed)
    assert state_words(day, NOW, zone=PARIS) == "arrêtée : le SIGB ne répond pas"
    assert advice_words(day).startswith("« Extraire les prêts » n'a pas abouti.")


def test_a_stage_that_is_paused_after_its_run_says_that_tomorrow_brings_nothing():
    assert "rien ne partira demain" in advice_words(StageDay(state=S.DONE, at=TEN, paused=True))


def days(**states: DayState) -> dict[Stage, StageDay]:
    return {
        stage: StageDay(
            state=(state := states.get(stage.value, S.DONE)), closes_right=True if state is S.DONE else None
        )
        for stage in Stage
    }


@pytest.mark.parametrize(
    ("states", "missed", "said"),
    [
        ({}, 0, ("Tout va bien.", "Les cinq étapes sont faites, leurs comptes sont justes.")),
        (
            {"overdue_notice": S.NOT_YET, "first_reminder": S.RUNNING},
            0,
            ("Tout va bien.", "3 étapes faites, comptes justes · 1 en cours · 1 à venir."),
        ),
        (
            {"registered_letter": S.WAITS_FOR_APPROVAL},
            1,
            ("2 choses vous attendent.", "4 étapes faites, comptes justes · 1 jour manqué à rattraper."),
        ),
        ({"registered_letter": S.TO_PRINT}, 0, ("Une chose vous attend.", "4 étapes faites, comptes justes.")),
        (
            {"second_reminder": S.STOPPED, "first_reminder": S.TO_PRINT},
            0,
            (
                "La 2e lettre de relance est arrêtée, une chose vous attend.",
                "Les comptes des 3 tournées faites sont justes.",
            ),
        ),
        (
            {"overdue_notice": S.MISSED},
            0,
            ("L'avis de retard n'a pas eu lieu.", "Les comptes des 4 tournées faites sont justes."),
        ),
        ({stage.value: S.PAUSED for stage in Stage}, 0, ("Les cinq étapes sont en pause.", "")),
        (
            {"overdue_notice": S.PAUSED, "first_reminder": S.STOPPED},
            0,
            ("Deux étapes sont arrêtées.", "Les comptes des 3 tournées faites sont justes."),
        ),
    ],
)
def test_the_verdict_says_how_the_day_is_and_why(states, missed, said):
    assert verdict_words(verdict(days(**states), others_waiting=missed), missed=missed) == said


def test_whoever_may_only_look_is_not_waited_for():
    found = verdict(days(registered_letter=S.TO_PRINT))
    assert verdict_words(found, acts=False)[0] == "Une chose attend."


@pytest.mark.parametrize(
    ("found", "words"),
    [((Stage.FIRST_REMINDER, 10, 10, 0), "Comptes justes"),
     ((Stage.FIRST_REMINDER, 4, 3, 0), "Comptes faux : 4 prêts lus, 3 expliqués"),
     ((Stage("hold_arrived"), 4, 3, 0), "Comptes faux : 4 demandes lues, 3 expliquées"),
     ((Stage.FIRST_REMINDER, 4, 4, 1), "Comptes faux : 1 envoi ni parti ni abandonné")],
)  # fmt: skip
def test_the_books_are_said_in_a_line(found, words):
    assert balance_words(*found) == words


@pytest.mark.parametrize(
    ("left", "words"),
    [(None, ""), (0, "un jour au plus"), (5, "environ 5 jours"), (20, "environ 3 semaines"), (122, "environ 4 mois"),
     (2000, "plus de deux ans")],
)  # fmt: skip
def test_how_long_a_credit_lasts(left, words):
    assert lasting_words(left) == (f"{words} au rythme actuel" if words else "")


def test_numbers_and_offsets():
    assert (plain(number_words(10204)), offset_words(-2), offset_words(21), offset_words(0)) == (
        "10 204", "J − 2", "J + 21", "jour J",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("day", "number", "words"),
    [
        (StageDay(state=S.DONE), 41, "environ 41 lecteurs"),
        (StageDay(state=S.DONE), 1, "environ 1 lecteur"),
        (StageDay(state=S.DONE), 0, "personne, sans doute"),
        (StageDay(state=S.DONE), None, "pas encore assez de jours connus"),
        (StageDay(state=S.DONE, paused=True), 41, "en pause"),
        (StageDay(state=S.BROKEN), 41, "illisible pour Airflow"),
        (StageDay(state=S.WAITS_FOR_APPROVAL), 41, "environ 41 lecteurs, après votre réponse"),
        (StageDay(state=S.WAITS_FOR_VOLUME), 41, "environ 41 lecteurs, après votre réponse"),
    ],
)
def test_tomorrow_is_not_promised_of_a_stage_that_cannot_begin(day, number, words):
    assert tomorrow_words(day, number, {}) == words


def test_tomorrow_says_by_which_channels():
    said = tomorrow_words(StageDay(state=S.WAITS_FOR_VOLUME), 1041, {Channel.EMAIL: 1040, Channel.SMS: 1})
    assert plain(said) == "environ 1 041 lecteurs : 1 040 e-mails, 1 SMS, après votre réponse"
