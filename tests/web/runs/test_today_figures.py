"""The figures of the first page: credit, last days, tomorrow; and that nobody is named."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from loan_reminders.domain.stages import Channel, Stage
from tests.scenes.first_page import NOW, TODAY, all_done, forget, look, run_of
from tests.scenes.ledger_runs import rows
from tests.web.client import browsing

pytestmark = pytest.mark.usefixtures("stages")


def test_who_was_not_reached_is_a_link_only_for_whoever_may_see_names(ledger, stages):
    all_done(ledger, stages)
    link = re.compile(r'href="/tournees/\d+" aria-label="1 non joint, Lettre de courtoisie : qui et pourquoi"')
    assert link.search(look())
    assert "qui et pourquoi" not in look("lecteur")


def test_nobodys_name_is_on_the_page(ledger, stages):
    all_done(ledger, stages)
    for role in ("biblio", "lecteur"):
        page = look(role)
        assert "Camille" not in page
        assert "Pcourtesy" not in page


def test_the_credit_its_pace_and_its_limits(ledger, stages):
    run_of(ledger, Stage.OVERDUE_NOTICE, 28, channel=Channel.SMS)
    rows(ledger, "UPDATE deliveries SET claimed_at = :at, segments = 1", at=NOW - timedelta(days=27))
    ledger.keep_sms_credit(900, at=NOW - timedelta(days=3))
    ledger.keep_sms_credit(880, at=NOW.replace(hour=9, minute=10))
    page = look()
    assert '<span class="big">880</span> SMS · <b>plus de deux ans au rythme actuel</b>' in page
    assert "Relevé à 9 h 10 chez le prestataire" in page
    assert "Moins que la réserve de 1 000" in page
    assert "Crédit SMS, de 900 le 27/11 à 880 aujourd'hui" in page
    assert "<dd>0 sur 500</dd>" in page
    assert "<dd>28 sur 5 000</dd>" in page
    ledger.keep_sms_credit(90, at=NOW)
    assert "plus aucun SMS ne part" in look()


def test_a_credit_that_another_clock_noted_for_tomorrow_draws_nothing_and_breaks_no_page(ledger, stages):
    ledger.keep_sms_credit(880, at=NOW + timedelta(days=1))
    page = look()
    assert '<span class="big">880</span> SMS' in page
    assert "Crédit SMS, de" not in page


def test_the_last_days_are_drawn_and_their_figures_stand_beside(ledger, stages):
    all_done(ledger, stages)
    page = look()
    assert 'aria-label="Envois des sept derniers jours, par canal"' in page
    assert '<tr><th scope="row">lundi 30 novembre</th><td class="n">11</td></tr>' in page
    assert page.count('<th scope="row">') == 7


def test_tomorrow_is_about_what_the_last_weeks_say(ledger, stages):
    assert "Pas encore assez de jours connus" in look()
    for week in (1, 2, 3):
        run_of(ledger, Stage.COURTESY_NOTICE, week, day=TODAY + timedelta(days=1 - 7 * week))
    forget()
    page = look()
    assert "environ 2 lecteurs : 2 e-mails" in page
    assert "pas encore assez de jours connus" in page


def test_the_page_is_light_and_needs_neither_script_nor_style_of_its_own(ledger, stages):
    all_done(ledger, stages)
    ledger.keep_sms_credit(900, at=NOW - timedelta(days=100))
    page = look()
    with browsing() as client:
        others = sum(len(client.get(f"/static/relances.{kind}").content) for kind in ("css", "js"))
    assert len(page.encode()) + others <= 100_000
    assert " style=" not in page
    assert page.count("<script") == 1
    assert re.findall(r"<h(\d)", page)[:3] == ["1", "2", "3"]
