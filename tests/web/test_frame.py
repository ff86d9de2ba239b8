"""The frame of the pages: which ways are shown to whom, and where one is."""

from __future__ import annotations

import pytest

from loan_reminders.web.access import Right
from loan_reminders.web.frame import TABS, frame


def everything(_):
    return True


def current(path, may=everything):
    shown = frame(path, may)
    return [tab.words for tab in shown.tabs if tab.is_current], [tab.words for tab in shown.subtabs if tab.is_current]


@pytest.mark.parametrize(
    ("path", "tab", "subtab"),
    [
        ("", "Aujourd'hui", ["Aujourd'hui"]),
        ("bureau", "Aujourd'hui", ["Au bureau"]),
        ("bureau/npai", "Aujourd'hui", ["Au bureau"]),
        ("jours/2026-11-27", "Aujourd'hui", ["Aujourd'hui"]),
        ("lots/7", "Courriers", ["Lots de lettres"]),
        ("recommandes", "Courriers", ["Recommandés"]),
        ("a-corriger", "À corriger", ["Coordonnées à corriger"]),
        ("desinscriptions/recherche", "À corriger", ["Désinscriptions"]),
        ("lecteurs/12", "Lecteurs et prêts", ["Chercher"]),
        ("accords-sms/import", "À corriger", ["Accords SMS"]),
        ("statistiques/couts", "Statistiques", ["Coûts"]),
        ("messages/cadre", "Messages", []),
        ("statistiques", "Statistiques", ["Messages et retours"]),
        ("statistiques/effet", "Statistiques", ["Effet des SMS"]),
        ("journal", "Journal", []),
    ],
)
def test_a_page_is_in_its_place(path, tab, subtab):
    assert current(path) == ([tab], subtab)


@pytest.mark.parametrize("path", ["nulle-part", "lotissement", "journaux"])
def test_an_unknown_page_is_nowhere(path):
    assert current(path) == ([], [])
    assert frame(path, everything).subtabs == ()


def test_nobody_sees_a_way_that_is_closed_to_him():
    assert frame("", lambda _: False).tabs == ()
    seen = frame("lots", lambda right: right == Right.SEE)
    assert [tab.words for tab in seen.tabs] == ["Aujourd'hui", "Courriers", "Messages", "Statistiques"]
    assert seen.subtabs == (), "a single way below is not shown"


def test_each_path_is_in_one_tab_only():
    paths = [one.path for tab in TABS for one in (tab.subtabs or (tab,))]
    assert len(paths) == len(set(paths))
    for path in paths:
        assert len(current(path)[0]) == 1
