"""What a run read of the ILS on our pages: codes nobody knows, texts mended, and the question about a reading."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from loan_reminders.domain.loans import CodeKind
from loan_reminders.domain.runs.reading.tally import Reading, UnknownCode
from loan_reminders.domain.runs.to_do import ToDoKind
from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.domain.stages import Stage
from loan_reminders.ledger.run_pages.to_do import PostgresToDo
from loan_reminders.settings.library_toml import settings
from tests.scenes.builders import DUE_DATE
from tests.scenes.first_page import NOW, TODAY, card, look
from tests.scenes.ledger_runs import rows
from tests.scenes.readings import READING, USUAL, read, usual_weeks
from tests.web.client import browsing

RUN = "scheduled__2026-11-27T09:00:00+00:00"
FEW = replace(USUAL, with_mobile=3)


def plan(ledger, run):
    with ledger.planning(run.run_id):
        pass
    return run


def waiting(ledger, now):
    starts = {stage: settings().stages.of(stage).starts_at for stage in Stage}
    found = ledger.part(PostgresToDo).items(now=now, starts=starts, posted_before=now.date(), sent_since=now)
    return [item for item in found if item.kind in (ToDoKind.READING, ToDoKind.NEW_CODES, ToDoKind.VOLUME)]


@pytest.mark.usefixtures("airflow")
class TestTheRun:
    def page(self, ledger, reading, role="biblio", **changes):
        run = plan(ledger, read(ledger, reading, dag_run_id=RUN, **changes))
        ledger.close_run(run.run_id)
        with browsing(role) as client:
            shown = client.get(f"/tournees/{run.run_id}").text
            tab = client.get("/tournees/airflow", params={"dag": "overdue_notice", "tournee": RUN}).text
        assert ("La lecture du SIGB" in shown) == ("La lecture du SIGB" in tab)
        return shown

    def test_says_what_was_read_and_what_is_to_be_done_about_codes(self, ledger):
        shown = self.page(ledger, READING)
        for words in ("95 (95\u00a0%)", "60 (60\u00a0%)", "4 textes réparés", "statut « 99 » (12 prêts)",
                      "statut, codes divers (3 prêts)", "bibliothèque vide (1 prêt)", "ils.patron_categories",
                      "library.branches", "À ajouter dans library.toml"):  # fmt: skip
            assert words in shown

    def test_of_a_sound_reading_says_so(self, ledger):
        shown = self.page(ledger, USUAL)
        assert re.search(r"Codes inconnus</dt><dd>\s*aucun", shown)
        for words in ("textes réparés", "inhabituel", "Lignes illisibles"):
            assert words not in shown

    def test_before_readings_were_kept_says_nothing_of_it(self, ledger):
        assert "La lecture du SIGB" not in self.page(ledger, None, loans=0)

    def test_of_nothing_is_shown_without_shares(self, ledger):
        assert "utilisable" not in self.page(ledger, Reading())

    def test_that_was_a_trial_says_that_its_reading_is_unusual(self, ledger):
        usual_weeks(ledger)
        shown = self.page(ledger, Reading(), dry_run=True)
        assert "Ce que le SIGB a donné est inhabituel" in shown
        assert "make check-ils" in shown

    def test_is_open_to_whoever_sees_and_codes_are_escaped(self, ledger):
        code = UnknownCode(kind=CodeKind.STATUS, code="<b>&", loans=1)
        shown = self.page(ledger, Reading(loans=1, unknown_loans=1, unknown=(code,)), "lecteur")
        assert "&lt;b&gt;&amp;" in shown
        assert "<b>&" not in shown

    def test_that_was_stopped_is_red_with_what_to_do(self, ledger):
        run = plan(ledger, read(ledger, Reading(), dag_run_id=RUN))
        for answer in (VolumeAnswer.ASKED, VolumeAnswer.REFUSED):
            ledger.record_volume_answer(run.run_id, answer, who="zoé", reading=True)
        ledger.close_run(run.run_id)
        with browsing() as client:
            shown = client.get(f"/tournees/{run.run_id}").text
        for words in ("Les comptes ne sont pas justes", "la lecture du SIGB", "make check-ils", "Rattraper ce jour",
                      "Lecture du SIGB refusée"):  # fmt: skip
            assert words in shown


class TestTheQuestion:
    @pytest.fixture
    def asked(self, ledger, airflow):
        def ask(reading):
            usual_weeks(ledger)
            run = plan(ledger, read(ledger, reading, dag_run_id=RUN))
            ledger.record_volume_answer(run.run_id, VolumeAnswer.ASKED, reading=True)
            airflow.ask("overdue_notice", RUN, "confirm_volume", ["Envoyer", "Ne rien envoyer"])
            return run.run_id

        return ask

    def test_about_an_empty_day_says_what_is_usual_and_what_to_check(self, asked):
        run_id = asked(Reading())
        with browsing() as client:
            page = client.get(f"/questions/{run_id}/volume").text
        for words in ("Faut-il continuer", "aucun", "100 (médiane", "make check-ils", "À vérifier", "fermée",
                      ">Envoyer</button>", ">Ne rien envoyer</button>", "en rouge"):  # fmt: skip
            assert words in page
        for words in ("Volume inhabituel", "Plus aucun envoi", "échéances déplacées"):
            assert words not in page

    def test_about_addresses_says_the_shares(self, asked):
        run_id = asked(FEW)
        with browsing() as client:
            page = client.get(f"/questions/{run_id}/volume").text
        for words in ("Prêts avec un mobile utilisable", "<b>3\u00a0%</b>", "60\u00a0% (médiane", "renommée"):
            assert words in page

    @pytest.mark.parametrize(("reply", "option"), [("oui", "Envoyer"), ("non", "Ne rien envoyer")])
    def test_is_answered_by_the_same_button(self, asked, airflow, ledger, reply, option):
        run_id = asked(Reading())
        with browsing("chloé") as client:
            said = client.post(f"/questions/{run_id}/volume", data={"reponse": reply})
            assert said.status_code == 303
            words = "Lecture du SIGB acceptée" if reply == "oui" else "Lecture du SIGB refusée"
            assert f"{words}, la tournée" in client.get(said.headers["location"]).text.replace("&#39;", "'")
        assert airflow.changes[0][2]["chosen_options"] == [option]
        assert rows(ledger, "SELECT question, agreed, who FROM question_answers") == [
            ("volume", reply == "oui", "chloé")
        ]

    def test_waits_on_the_list_in_its_own_words(self, asked):
        run_id = asked(Reading())
        now = datetime.now(settings().zone)
        with browsing() as client:
            from loan_reminders.web import ledger_access

            [item] = waiting(ledger_access.whole(), now)
            assert (item.kind, item.run_id) == (ToDoKind.READING, run_id)
            page = client.get("/").text
        assert "Lecture du SIGB inhabituelle pour l&#39;avis de retard : faut-il continuer ?" in page
        assert f'href="/questions/{run_id}/volume"' in page


class TestNewCodes:
    """A code that nobody knew is something to do for a week; then it stays on the pages of its runs."""

    def codes(self, *codes, loans=2):
        unknown = tuple(UnknownCode(kind=CodeKind.STATUS, code=code, loans=loans) for code in codes)
        return Reading(loans=10, unknown_loans=2, unknown=unknown)

    def read(self, ledger, days_ago, *codes, **changes):
        day = TODAY - timedelta(days=days_ago)
        values = {"reference_date": day, "due_date": day - timedelta(days=1), "today": day, "dag_run_id": f"{days_ago}"}
        return read(ledger, self.codes(*codes), **{**values, **changes})

    def new(self, ledger):
        return [one.code for item in waiting(ledger, NOW) for one in item.codes]

    def test_today(self, ledger):
        run = self.read(ledger, 0, "99", "98")
        [item] = waiting(ledger, NOW)
        assert (item.number, item.run_id, self.new(ledger)) == (2, run.run_id, ["99", "98"])

    def test_without_any(self, ledger):
        read(ledger, USUAL)
        assert waiting(ledger, NOW) == []

    def test_for_a_week(self, ledger):
        self.read(ledger, 6, "99")
        self.read(ledger, 0, "99")
        assert self.new(ledger) == ["99"]
        self.read(ledger, 7, "99")
        assert self.new(ledger) == []

    def test_not_when_it_is_no_longer_there(self, ledger):
        self.read(ledger, 2, "99")
        self.read(ledger, 0)
        assert self.new(ledger) == []

    def test_a_trial_run_tells_it_too(self, ledger):
        self.read(ledger, 0, "99", dry_run=True)
        assert self.new(ledger) == ["99"]

    def test_on_the_first_page(self, ledger, stages):
        run = self.read(ledger, 0, "99")
        page = look()
        assert "Codes inconnus du SIGB : statut « 99 » (2 prêts)" in page
        assert "ils.patron_categories" in page
        assert f'href="/tournees/{run.run_id}"' in page
        assert "2" in card(page, "Avis de retard")
        assert "prêts à code inconnu" in card(page, "Avis de retard")
        assert DUE_DATE < TODAY
