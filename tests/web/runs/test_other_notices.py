"""A library's own notice on the pages, in its own words; without one they are as they were."""

from __future__ import annotations

import re

import pytest

from loan_reminders.domain.messages import Receipt
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState
from loan_reminders.services.runs.close import close_run
from loan_reminders.settings.library_toml import ROOT, settings
from tests.scenes.builders import a_delivery, a_loan, a_notice, a_patron
from tests.scenes.first_page import NOW, TODAY, card, look
from tests.scenes.ledger_runs import ids, planned, rows
from tests.web.client import browsing

HOLD = Stage("hold_arrived")
ENTRY = """
[notices.hold_arrived]
title = "avis de réservation disponible"
hour = "09:00"
channels = [{ channel = "email" }, { channel = "sms" }]
"""


@pytest.fixture
def entry(tmp_path, monkeypatch):
    path = tmp_path / "library.toml"
    path.write_text((ROOT / "library.toml").read_text(encoding="utf-8") + ENTRY, encoding="utf-8")
    monkeypatch.setenv("REMINDERS_CONFIG", str(path))
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def told(ledger):
    """Today's run told one reader of one hold; its number."""
    request = a_loan(loan_id="@hold_arrived:7", due_date=TODAY, patron=a_patron(patron_id="P1"), title="Attendu")
    delivery = a_delivery(notice=a_notice(stage=HOLD, loans=(request,)))
    run = planned(ledger, [delivery], stage=HOLD, due_date=TODAY, today=TODAY, reference_date=TODAY,
                  dag_run_id="scheduled__hold_arrived")  # fmt: skip
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids([delivery]))
        sender.record([Receipt(delivery_id=delivery.delivery_id, state=DeliveryState.ACCEPTED)])
    close_run(ledger, run_id=run.run_id)
    rows(ledger, "UPDATE runs SET closed_at = :at", at=NOW.replace(minute=3))
    return run.run_id


def text_of(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


@pytest.mark.usefixtures("stages", "entry")
def test_it_is_a_card_behind_the_five_stages(told):
    page = look()
    assert "Les cinq étapes et les autres avis du jour" in page
    assert page.count('<li class="card">') == 6
    shown = card(page, "Avis de réservation disponible")
    for words in ("autre avis", "1 lecteur prévenu", "demande vue 1", "e-mail 1", "Comptes justes"):
        assert words in shown


@pytest.mark.usefixtures("stages")
def test_without_an_entry_the_first_page_has_five_cards():
    page = look()
    assert "Les cinq étapes du jour" in page
    assert page.count('<li class="card">') == 5


@pytest.mark.usefixtures("installed", "entry")
def test_its_messages_its_figures_its_run_and_its_reader_are_shown(ledger, told):
    with browsing() as client:
        messages = client.get("/messages?etape=hold_arrived&canal=sms&langue=en")
        assert messages.status_code == 200
        assert "avis de réservation disponible" in messages.text
        assert "reservations have arrived" in messages.text
        assert client.get("/messages/cadre?etape=hold_arrived&canal=email").status_code == 200
        figures = text_of(client.get(f"/statistiques?du={TODAY.isoformat()}&etape=hold_arrived"))
        assert "avis de réservation disponible" in figures
        run = text_of(client.get(f"/tournees/{told}"))
        assert "Avis de réservation disponible" in run
        assert "Demandes jusqu'au" in run
        [[number]] = rows(ledger, "SELECT reader_number FROM readers")
        reader = text_of(client.get(f"/lecteurs/{number}"))
        assert "Avis de réservation disponible, par e-mail" in reader
        assert "à rendre le" not in reader
        assert client.get("/tournees/jours-manques").status_code == 200


@pytest.mark.usefixtures("installed", "entry")
def test_a_notice_that_the_library_has_not_is_no_message_and_no_day_to_catch_up():
    with browsing() as client:
        assert client.get("/messages?etape=card_expires").status_code == 404
        day = TODAY.isoformat()
        assert client.get(f"/tournees/jours-manques/card_expires/{day}").status_code == 404
        assert client.get(f"/tournees/jours-manques/rien%20du%20tout/{day}").status_code in (404, 422)
