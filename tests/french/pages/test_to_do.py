"""The list of what waits, in a librarian's words."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from loan_reminders.domain.loans import CodeKind
from loan_reminders.domain.runs.reading.tally import UnknownCode
from loan_reminders.domain.runs.to_do import ToDoItem, ToDoKind
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.french.days import when_words
from loan_reminders.french.pages.to_do import days_in_words, to_do_words
from loan_reminders.french.runs import books_sentence

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 30, 11, tzinfo=PARIS)
K = ToDoKind


def words(kind, **facts):
    return to_do_words(ToDoItem(kind=kind, **facts), zone=PARIS, now=NOW)


@pytest.mark.parametrize("kind", ToDoKind)
def test_every_kind_has_its_words(kind):
    facts = {"stage": Stage.OVERDUE_NOTICE, "days": (date(2026, 11, 28),), "number": 2, "since": NOW, "batch_id": 7}
    facts["codes"] = (UnknownCode(kind=CodeKind.STATUS, code="99", loans=12),)
    said = words(kind, **facts)
    assert said.title
    assert said.button or kind is K.NO_CREDIT
    assert "_" not in f"{said.title} {said.more}"


@pytest.mark.parametrize(
    ("kind", "facts", "title"),
    [
        (K.APPROVAL, {"number": 1}, "1 lettre recommandée attend votre accord"),
        (K.APPROVAL, {"number": 6}, "6 lettres recommandées attendent votre accord"),
        (K.PRINT, {"number": 4}, "4 lettres à imprimer"),
        (K.PRINT, {"number": 1, "channel": Channel.REGISTERED_LETTER}, "1 lettre recommandée à imprimer"),
        (K.NOT_ARRIVED, {"number": 99, "many": True}, "plus de 99 envois qui n'ont pas abouti"),
        (K.NOT_ARRIVED, {"number": 1}, "1 envoi qui n'a pas abouti"),
        (
            K.MISSED_DAY,
            {"stage": Stage.OVERDUE_NOTICE, "days": (date(2026, 11, 28),)},
            "Le samedi 28 novembre 2026 n'a pas eu d'avis de retard",
        ),
        (
            K.MISSED_DAY,
            {"stage": Stage.FIRST_REMINDER, "days": (date(2026, 11, 27), date(2026, 11, 28))},
            "2 jours n'ont pas eu de 1re lettre de relance",
        ),
    ],
)
def test_a_line_counts_as_people_do(kind, facts, title):
    assert words(kind, **facts).title == title


def test_several_days_lead_to_their_list_and_one_to_itself():
    days = (date(2026, 11, 27), date(2026, 11, 28))
    assert words(K.MISSED_DAY, stage=Stage.OVERDUE_NOTICE, days=days).button == "Voir et rattraper"
    assert words(K.MISSED_DAY, stage=Stage.OVERDUE_NOTICE, days=days[:1]).button == "Rattraper ce jour"


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (NOW.replace(hour=8, minute=41), "aujourd'hui à 8 h 41"),
        (NOW.replace(day=29, hour=10, minute=3), "hier à 10 h 03"),
        (NOW.replace(day=1, hour=0), "le 01/11/2026 à 0 h 00"),
        (NOW.replace(year=2025), "le 30/11/2025 à 11 h 00"),
        (NOW.astimezone(ZoneInfo("Pacific/Auckland")) - timedelta(days=1), "hier à 11 h 00"),
    ],
)
def test_moments_are_told_by_the_librarys_clock(moment, said):
    assert when_words(moment, zone=PARIS, now=NOW) == said


def test_the_books_are_one_sentence_without_a_code():
    figures = {"loans": 232, "notices": 208, "skipped": 24, "cancelled": 0, "not_sent": 3, "balanced": 1, "dry_run": 0}
    assert books_sentence({**figures, "email": 205, "sms": 1}) == (
        "Comptes justes : 232 prêts à échéance, 208 avis ; 205 e-mails, 1 SMS ; 24 prêts écartés,"
        " 3 envois qui n'ont pas abouti."
    )
    dry = books_sentence({**figures, "not_sent": 0, "cancelled": 208, "dry_run": 1})
    assert dry == (
        "Comptes justes : 232 prêts à échéance, 208 avis ; essai à blanc, rien n'est parti ; 24 prêts écartés."
    )
    assert books_sentence({"loans": 1, "notices": 1}).startswith(
        "Comptes à vérifier : 1 prêt à échéance, 1 avis ; rien"
    )


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (((11, 28),), "le samedi 28 novembre 2026"),
        (((11, 27), (11, 28)), "du vendredi 27 novembre au samedi 28 novembre 2026"),
        (((11, 28), (11, 24)), "le mardi 24 novembre 2026 et le samedi 28 novembre 2026"),
        (
            ((11, 2), (11, 3), (11, 9), (11, 24)),
            "du lundi 2 novembre au mardi 3 novembre 2026, le lundi 9 novembre 2026 et le mardi 24 novembre 2026",
        ),
        (
            ((11, 2), (11, 4), (11, 6), (11, 9)),
            "le lundi 2 novembre 2026, le mercredi 4 novembre 2026, le vendredi 6 novembre 2026 et 1 autre jour",
        ),
    ],
)
def test_days_that_do_not_follow_each_other_are_not_said_as_a_row(days, said):
    assert days_in_words([date(2026, *day) for day in days]) == said


@pytest.mark.parametrize(
    ("kind", "title", "button"),
    [
        (K.BOOKS_WRONG, "Les comptes ne sont pas justes : avis de retard, 2 jours", "Voir les tournées"),
        (K.STANDS_STILL, "Tournées qui n'avancent plus : avis de retard, 2 jours", "Voir les tournées"),
        (K.MISSED_DAY, "2 jours n'ont pas eu d'avis de retard", "Voir et rattraper"),
    ],
)
def test_several_days_with_one_fault_are_one_line_that_names_them(kind, title, button):
    line = words(kind, stage=Stage.OVERDUE_NOTICE, days=(date(2026, 11, 24), date(2026, 11, 28)), run_id=3)
    assert (line.title, line.button) == (title, button)
    assert "le mardi 24 novembre 2026 et le samedi 28 novembre 2026" in line.more
