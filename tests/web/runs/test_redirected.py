"""A trial looks like one on every page: the banner, the verdict of the day, its letters; and so it stays."""

from __future__ import annotations

import html

import pytest

from loan_reminders.domain.runs.run_page import RunPage
from loan_reminders.domain.stages import Channel
from loan_reminders.web import badge, ledger_access
from tests.scenes.first_page import all_done, card, look, verdict
from tests.scenes.ledger_letters import closed
from tests.scenes.ledger_runs import rows
from tests.scenes.redirected import redirecting
from tests.web.client import browsing

BANNER = "n'écrit pas à ses lecteurs. Les e-mails vont à essai@bu-montclar.example, les SMS au +33600000001"
PAGES = ("/", "/bureau", "/lecteurs", "/lots", "/recommandes", "/a-corriger", "/desinscriptions", "/accords-sms",
         "/messages", "/statistiques", "/statistiques/couts", "/journal", "/installation", "/lots/999")  # fmt: skip


@pytest.mark.usefixtures("stages")
class TestBanner:
    @pytest.mark.parametrize("path", PAGES)
    def test_every_page_says_whose_trial_it_is_and_that_nobody_is_told(self, ledger, monkeypatch, tmp_path, path):
        with browsing("admin") as client:
            assert BANNER not in html.unescape(client.get(path).text)
            with redirecting(monkeypatch, tmp_path):
                page = html.unescape(client.get(path).text)
        assert BANNER in page
        assert "personne n'est vraiment prévenu." in page

    def test_a_named_colleague_is_an_exception_and_a_stranger_learns_nothing(self, ledger, monkeypatch, tmp_path):
        with redirecting(monkeypatch, tmp_path, allow=True):
            with browsing() as client:
                page = html.unescape(client.get("/lots").text)
            with browsing("personne") as client:
                refused = html.unescape(client.get("/lots").text)
        assert "sauf 1 adresse ou numéro nommé dans les réglages, qui reçoit ses propres messages" in page
        assert "n'écrit pas" not in refused


@pytest.mark.usefixtures("stages")
class TestVerdict:
    def test_a_fine_day_of_a_trial_is_not_said_to_have_told_anybody(self, ledger, stages, monkeypatch, tmp_path):
        all_done(ledger, stages)
        rows(ledger, "UPDATE deliveries SET redirected = true")
        with redirecting(monkeypatch, tmp_path):
            page = html.unescape(look())
            assert verdict(page) == "wait Essai, aucun lecteur n'est prévenu. Tout va bien."
        shown = card(page, "Lettre de courtoisie")
        assert "3 envois détournés, personne n'est prévenu" in shown
        assert "e-mails détournés 3" in shown
        assert "lecteurs prévenus" not in shown
        assert "Comptes justes" in shown

    def test_the_day_after_the_trial_its_messages_still_told_nobody(self, ledger, stages):
        all_done(ledger, stages)
        rows(ledger, "UPDATE deliveries SET redirected = true")
        assert "lecteurs prévenus" not in card(html.unescape(look()), "Lettre de courtoisie")

    def test_named_colleagues_are_told(self, ledger, stages, monkeypatch, tmp_path):
        all_done(ledger, stages)
        with redirecting(monkeypatch, tmp_path, allow=True):
            page = look()
        assert verdict(page) == "wait Essai, seuls les destinataires nommés sont prévenus. Tout va bien."
        assert "3 lecteurs prévenus" in card(page, "Lettre de courtoisie")

    def test_the_page_of_a_run_says_what_was_redirected(self, ledger, stages):
        all_done(ledger, stages)
        rows(ledger, "UPDATE deliveries SET redirected = true")
        [run_id] = [row.run_id for row in rows(ledger, "SELECT run_id FROM runs WHERE stage = 'courtesy_notice'")]
        found = ledger_access.run_pages().run(run_id, names=False)
        assert isinstance(found, RunPage)
        assert (found.told, found.redirected) == (0, 3)
        with browsing() as client:
            assert "Dont détournés vers une adresse d'essai" in html.unescape(client.get(f"/tournees/{run_id}").text)


@pytest.mark.usefixtures("stages")
def test_letters_of_a_trial_are_called_so_wherever_they_wait_long_after_it(ledger):
    closed(ledger, channel=Channel.LETTER, prefix="T", trial=True)
    closed(ledger, channel=Channel.LETTER, prefix="V")
    _, registered, (letter, *_) = closed(ledger, prefix="R", trial=True)
    ledger.letters().mark_printed(registered, who="zoé")
    badge.forget()
    page = look()
    assert "3 lettres à imprimer (essai, à ne pas envoyer)" in page
    assert "3 lettres à imprimer<" in page
    with browsing() as client:
        assert client.get("/lots").text.count('<span class="pill bad">essai</span>') == 2
        shown = client.get("/recommandes?etat=printed").text
        assert "Lettre d'essai : à ne pas envoyer." in client.get(f"/recommandes/{letter.delivery_id}").text
    assert shown.count('<span class="pill bad">essai</span>') == 3


def test_nobody_is_waited_for_to_sign_a_letter_of_a_trial(ledger, installed):
    from datetime import date, datetime, timedelta
    from zoneinfo import ZoneInfo

    from loan_reminders.domain.runs.to_do import ToDoKind
    from loan_reminders.domain.stages import Stage as AnyStage
    from loan_reminders.ledger.run_pages.to_do import PostgresToDo

    now = datetime.now(ZoneInfo("Europe/Paris"))
    for prefix, trial in (("R", True), ("V", False)):
        closed(ledger, prefix=prefix, trial=trial)
    rows(ledger, "UPDATE registered_letters SET state = 'posted', posted_on = :day", day=date(2026, 1, 5))
    found = ledger.part(PostgresToDo).items(
        now=now, starts=dict.fromkeys(AnyStage, now.time()), posted_before=now.date() - timedelta(days=30),
        sent_since=now - timedelta(days=30),
    )  # fmt: skip
    assert [one.number for one in found if one.kind is ToDoKind.ACKNOWLEDGEMENT] == [3]
    assert len(ledger.registered().overdue(posted_before=now.date(), limit=10)) == 3
