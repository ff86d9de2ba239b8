"""The sentences about what SMS do: none claims more than its verdict."""

from __future__ import annotations

import pytest

from loan_reminders.domain.statistics.effect import Verdict, verdict
from loan_reminders.french.pages.effect import (
    NO_CONCLUSION,
    change_words,
    comparison_words,
    figure,
    points,
    sentences,
    trial_words,
)
from tests.scenes.findings import a_change, a_comparison, a_trial, an_estimate, some_findings

NOT_READ = (Verdict.TOO_FEW, Verdict.NOT_COMPARABLE, Verdict.NOTHING)


@pytest.mark.parametrize("found", NOT_READ)
def test_what_cannot_be_concluded_says_so(found):
    estimate = None if found is Verdict.TOO_FEW else an_estimate(1.0)
    for words in (
        change_words(a_change(verdict=found, estimate=estimate)),
        comparison_words(a_comparison(verdict=found, differences={7: estimate})),
    ):
        assert NO_CONCLUSION in words
        assert "sûre" not in words


def test_staff_who_were_told_by_sms_too_are_in_the_sentence():
    assert "Aucun prêt de personnel n'a été annoncé par SMS" in change_words(a_change())
    assert "personnel n'a été" not in change_words(a_change(staff_told=None)), "of a night before it was counted"
    some = change_words(a_change(staff_told=0.042)).replace("\N{NO-BREAK SPACE}", " ")
    assert "4,2 % des prêts de personnels" in some
    assert "plus petite" in some
    many = change_words(a_change(staff_told=0.31, verdict=Verdict.NOT_COMPARABLE)).replace("\N{NO-BREAK SPACE}", " ")
    assert "31,0 % des prêts de personnels" in many
    assert "au-delà de 10 %" in many
    assert NO_CONCLUSION in many
    assert "seuls étudiants" not in change_words(a_change()) + some + many


def test_a_hint_is_no_proof():
    for words in (
        change_words(a_change(verdict=Verdict.HINT)),
        comparison_words(a_comparison(verdict=Verdict.HINT)),
        trial_words(a_trial(verdict=Verdict.HINT)),
    ):
        assert "un indice, pas une preuve" in words


def test_only_what_chance_decided_is_called_an_effect():
    found = some_findings()
    trial, comparison, change = sentences(found)
    assert "C'est un effet des SMS" in trial
    for words in (comparison, change):
        assert "sa cause ne l'est pas" in words
        assert "effet des SMS" not in words


@pytest.mark.parametrize("found", [Verdict.UNDER_WAY, Verdict.CHANGED])
def test_a_trial_that_may_not_be_read_shows_no_figure(found):
    words = trial_words(a_trial(verdict=found, comparison=None))
    assert "point" not in words.replace("pas de résultat", "")


def test_less_is_said_as_less():
    assert "de prêts de moins" in comparison_words(a_comparison(differences={7: an_estimate(-4.0)}))
    assert "a augmenté de" in change_words(a_change(estimate=an_estimate(4.0)))


def test_no_day_to_compare():
    assert "compare_from" in change_words(a_change(verdict=Verdict.NO_DAY, since=None, estimate=None))


@pytest.mark.parametrize(
    ("number", "written"), [(0, "0,0"), (-0.04, "0,0"), (-3.25, "−3,2"), (12.34, "12,3"), (100, "100,0")]
)
def test_numbers_are_french(number, written):
    assert figure(number) == written


@pytest.mark.parametrize(("number", "words"), [(1, "1,0 point"), (-1.9, "1,9 point"), (1.96, "2,0 points")])
def test_points_have_their_plural_from_two_on(number, words):
    assert points(number).replace("\N{NO-BREAK SPACE}", " ") == words


@pytest.mark.parametrize(
    ("low", "high", "surely", "found"),
    [(1, 9, 0.1, Verdict.SURE), (1, 9, -0.1, Verdict.HINT), (-1, 9, -3, Verdict.NOTHING), (0, 9, -1, Verdict.NOTHING)],
)
def test_the_wider_interval_decides(low, high, surely, found):
    from dataclasses import replace

    middle = an_estimate((low + high) / 2)
    assert verdict(replace(middle, low=low, high=high, surely_low=surely, surely_high=12)) is found
    mirrored = replace(middle, low=-high, high=-low, surely_low=-12, surely_high=-surely)
    assert verdict(mirrored) is found
