"""« À faire »: the piece of the first page, and the number beside its tab on every page."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from starlette.requests import Request

from loan_reminders.domain.errors import LedgerRefusal, LedgerRefused, LedgerUnavailable
from loan_reminders.domain.runs.to_do import ToDoItem, ToDoKind
from loan_reminders.domain.runs.volume import VolumeAnswer
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import badge, ledger_access
from loan_reminders.web.access import Person, Right
from loan_reminders.web.page import Page
from loan_reminders.web.runs.to_do import to_do
from tests.scenes.ledger_letters import closed
from tests.scenes.ledger_runs import planned, some_deliveries
from tests.scenes.sentences import as_typed
from tests.web.client import browsing

pytestmark = pytest.mark.usefixtures("airflow")
LIBRARIAN = frozenset({Right.SEE, Right.ACT})


def page(*rights):
    request = Request({"type": "http", "method": "GET", "path": "/", "root_path": "/bib/relances", "headers": []})
    request.state.person = Person(name="zoé", rights=frozenset(rights))
    return Page(request)


def piece(at, found):
    return at.html("a_faire.html.j2", to_do=found).body.decode()


def count(client, path="/desinscriptions"):
    _, _, after = client.get(path).text.partition('<span class="count">')
    return int(after.partition("<")[0]) if after else 0


def test_nothing_to_do_is_said(ledger):
    at = page(*LIBRARIAN)
    found = to_do(at)
    assert (found.lines, found.problem) == ((), "")
    assert "Rien n'attend" in piece(at, found)
    with browsing() as client:
        assert count(client) == 0


def test_each_line_has_its_button_and_the_tab_their_number(ledger):
    run = planned(ledger, some_deliveries(2))
    ledger.record_volume_answer(run.run_id, VolumeAnswer.ASKED)
    _, batch_id, _ = closed(ledger, channel=Channel.LETTER, prefix="S")
    at = page(*LIBRARIAN)
    shown = piece(at, to_do(at))
    assert f'href="/bib/relances/questions/{run.run_id}/volume"' in shown
    assert f'href="/bib/relances/lots/{batch_id}"' in shown
    assert shown.index("Volume inhabituel") < shown.index("3 lettres à imprimer")
    badge.forget()
    with browsing() as client:
        assert count(client) == 2
        ledger.letters().mark_printed(batch_id, who="zoé")
        assert count(client) == 2
        badge.forget()
        assert count(client, "/bureau") == 1


def test_whoever_only_sees_has_the_lines_without_the_ways_and_no_number(ledger):
    run = planned(ledger, some_deliveries(2))
    ledger.record_volume_answer(run.run_id, VolumeAnswer.ASKED)
    at = page(Right.SEE)
    shown = piece(at, to_do(at))
    assert "Volume inhabituel" in shown
    assert "<a " not in shown
    badge.forget()
    with browsing("lecteur") as client:
        assert 'class="count"' not in client.get("/lots").text


def test_a_ledger_behind_its_migrations_is_what_waits(monkeypatch):
    class Behind:
        def items(self, **_):
            raise LedgerRefused(LedgerRefusal.OLDER_TABLES, revision="0009", wanted="0013", command="x")

    monkeypatch.setattr(ledger_access, "to_do", Behind)
    [line] = to_do(page(*Right)).lines
    assert (line.kind, line.path) == ("ledger_behind", "installation")
    assert "loan_reminders migrate upgrade" in line.more
    assert to_do(page(*LIBRARIAN)).lines[0].path == ""


def test_without_the_ledger_there_is_no_number_and_the_piece_says_why(monkeypatch):
    asked = []

    class Gone:
        def items(self, **_):
            asked.append(1)
            raise LedgerUnavailable(LedgerRefusal.NO_ANSWER, words="le serveur se tait")

    monkeypatch.setattr(ledger_access, "to_do", Gone)
    monkeypatch.setattr(badge, "SECONDS", 60.0)
    at = page(*LIBRARIAN)
    found = to_do(at)
    assert found.problem
    assert found.problem in as_typed(piece(at, found).replace("&#39;", "'"))
    badge.forget()
    asked.clear()
    with browsing() as client:
        pages = [client.get("/desinscriptions") for _ in range(3)]
    assert [(one.status_code, 'class="count"' in one.text) for one in pages] == [(200, False)] * 3
    assert len(asked) == 1, "the number is asked for once in some seconds, also when there is no answer"


def test_whatever_is_wrong_with_the_number_the_page_comes(monkeypatch):
    class Broken:
        def items(self, **_):
            raise ValueError("Camille Martin")

    monkeypatch.setattr(ledger_access, "to_do", Broken)
    with browsing() as client:
        answer = client.get("/desinscriptions")
    assert (answer.status_code, "Camille" in answer.text) == (200, False)


def test_no_credit_waits_on_every_page_and_leads_to_the_credit(ledger):
    now = datetime.now(settings().zone)
    ledger.keep_sms_credit(5_000, at=now - timedelta(minutes=2))
    assert to_do(page(*LIBRARIAN)).lines == ()
    ledger.keep_sms_credit(12, at=now - timedelta(minutes=1))
    [line] = to_do(page(Right.SEE)).lines
    assert (line.kind, "12" in line.title, line.button, line.path) == ("no_credit", True, "Voir le crédit", "#credit")
    badge.forget()
    with browsing() as client:
        assert count(client) == count(client, "/lots") == 1
        assert 'id="credit"' in client.get("/").text


def test_overdue_acknowledgements_lead_to_their_list(monkeypatch):
    item = ToDoItem(kind=ToDoKind.ACKNOWLEDGEMENT, number=3)
    [line] = to_do(page(*LIBRARIAN), waiting=lambda _: [item]).lines
    path, _, place = line.path.partition("#")
    with browsing() as client:
        assert f'<h2 id="{place}">Avis de réception en retard' in client.get(f"/{path}").text


def test_many_batches_to_print_are_one_line(monkeypatch):
    class Many:
        def items(self, **_):
            return [
                ToDoItem(kind=ToDoKind.PRINT, number=2, pages=3, batch_id=one, stage=Stage.FIRST_REMINDER)
                for one in range(20)
            ]

    monkeypatch.setattr(ledger_access, "to_do", Many)
    [line] = to_do(page(*LIBRARIAN)).lines
    assert (line.title, line.path, line.more) == ("40 lettres à imprimer", "lots", "20 lots, 60 pages")


@pytest.mark.parametrize("kind", [ToDoKind.BOOKS_WRONG, ToDoKind.STANDS_STILL])
def test_one_run_that_is_wrong_leads_to_itself_and_several_to_their_list(monkeypatch, kind):
    days = (date(2026, 11, 24), date(2026, 11, 28))
    ways = []
    for some in (days[:1], days):
        item = ToDoItem(kind=kind, stage=Stage.OVERDUE_NOTICE, run_id=7, days=some)
        [line] = to_do(page(Right.SEE), waiting=lambda _, item=item: [item]).lines
        ways.append(line.path)
    assert ways == ["tournees/7", "tournees/jours-manques"]
