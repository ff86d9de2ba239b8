"""The page of messages: each stage, channel and language, what an SMS costs, and a real loan for those who may."""

from __future__ import annotations

import re

import pytest

from loan_reminders.domain.stages import STAGE_CHANNELS, Stage
from tests.scenes.disputed_loan import sent, two_loans
from tests.scenes.ledger_runs import rows
from tests.web.client import browsing

PAGE = "/messages"
REAL = "/messages/vrai"
PERSONAL = ("Camille Martin", "33639980001")


@pytest.fixture(autouse=True)
def pages(installed, monkeypatch, tmp_path):
    monkeypatch.setenv("REMINDERS_STORAGE", str(tmp_path / "letters"))


def lent(ledger):
    from loan_reminders.domain.stages import Channel

    sent(ledger, Channel.EMAIL, Stage.OVERDUE_NOTICE)


def journal(ledger):
    return [tuple(row) for row in rows(ledger, "SELECT act, who, patron_id FROM journal")]


@pytest.mark.parametrize(
    "query",
    ["etape=rien", "canal=rien", "langue=xx", "exemple=rien", "etape=courtesy_notice&canal=sms", "langue=../.."],
)
def test_a_message_that_does_not_exist(query):
    with browsing() as client:
        for path in (PAGE, "/messages/cadre", "/messages/page.png"):
            assert client.get(f"{path}?{query}").status_code == 404


def test_whoever_only_sees_figures_looks_at_examples_and_at_no_real_loan(ledger):
    lent(ledger)
    with browsing("lecteur") as client:
        page = client.get(PAGE)
        assert (page.status_code, "vrai prêt" in page.text) == (200, False)
        for path in (REAL, f"{REAL}/cadre"):
            assert client.post(path, data={"recherche": "L1", "pret": "L1"}).status_code == 403
    assert journal(ledger) == []


def test_the_page_needs_no_ledger(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_REMINDERS_LEDGER")
    with browsing() as client:
        assert client.get(PAGE).status_code == 200
        assert client.post(REAL, data={"recherche": "L1"}).status_code == 503


@pytest.mark.parametrize("stage", list(Stage))
def test_each_stage_shows_its_channels_and_where_the_sentences_are(stage):
    with browsing() as client:
        for channel in STAGE_CHANNELS[stage]:
            if channel in ("email", "sms"):
                page = client.get(f"{PAGE}?etape={stage}&canal={channel}").text
                assert f"templates/{stage}/{channel}/" in page
                assert f"etape={stage}&amp;canal={channel}" in page


def test_an_english_reader_reads_english_from_the_english_files():
    with browsing() as client:
        page = client.get(f"{PAGE}?etape=overdue_notice&canal=email&langue=en").text
    assert "templates/overdue_notice/en/email/words.txt.j2" in page
    assert ">anglais</a>" in page
    assert "Dear" in page or "Hello" in page


def test_the_frame_of_an_e_mail_has_its_own_styles_and_nothing_that_runs():
    with browsing() as client:
        page = client.get(f"{PAGE}?etape=overdue_notice&canal=email&exemple=extreme").text
        [source] = re.findall(r'<iframe class="message" sandbox src="([^"]+)"', page)
        framed = client.get(source.replace("&amp;", "&"))
        ours = client.get(PAGE)
    policy = framed.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert "script-src" not in policy
    assert "allow-" not in policy
    assert framed.headers["cache-control"] == "no-store"
    assert "<b>Titre" not in framed.text
    assert "frame-src 'self'" in ours.headers["content-security-policy"]
    assert "unsafe-inline" not in ours.headers["content-security-policy"]


def test_an_sms_says_what_it_costs_and_which_character_makes_it_dear():
    with browsing() as client:
        page = client.get(f"{PAGE}?etape=overdue_notice&canal=sms").text
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert re.search(r"Caractères \d+ sur 160 Segments 1 Coût 0,05 € 1 SMS du forfait, à 0,05 € le segment", text)
    assert "ê devient e : tel quel, il triplerait le prix du SMS" in text
    assert "« devient &#34; :" in text
    assert "Ne plus recevoir de SMS : STOP au 36180" in text, "the first SMS to a number is shown beside the usual one"
    assert "[sms] opt_out_mention" in page


def test_an_sms_whose_price_nobody_said_costs_its_segments(monkeypatch):
    from loan_reminders.domain.sms.price import SmsPrice
    from loan_reminders.settings.library_toml import Settings

    monkeypatch.setattr(Settings, "sms_price", lambda self: SmsPrice())
    with browsing() as client:
        page = client.get(f"{PAGE}?etape=overdue_notice&canal=sms").text
    assert "<dd>1 SMS du forfait</dd>" in page
    assert "€" not in page
    assert "[sms] segment_price" in page


def test_a_letter_is_seen_as_images_and_made_once(monkeypatch):
    from loan_reminders.services import previews

    made = []
    laid_out = previews.Previews.letter

    def counted(self, delivery, **words):
        made.append(delivery.channel)
        return laid_out(self, delivery, **words)

    monkeypatch.setattr(previews.Previews, "letter", counted)
    query = "etape=second_reminder&canal=letter"
    with browsing() as client:
        page = client.get(f"{PAGE}?{query}").text
        [first, *_] = re.findall(r'<img class="sheet" src="([^"]+)"', page)
        image = client.get(first.replace("&amp;", "&"))
        beyond = client.get(f"/messages/page.png?{query}&numero=99")
    assert (image.headers["content-type"], image.content[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert beyond.status_code == 404
    assert len(made) == 1


@pytest.mark.parametrize(
    ("form", "words"),
    [({}, "Saisir un numéro"), ({"recherche": "rien"}, "aucun prêt"), ({"pret": "rien"}, "aucun prêt")],
)
def test_a_real_loan_that_is_not_found(ledger, form, words):
    with browsing() as client:
        answer = client.post(REAL, data={"etape": "overdue_notice", "canal": "email", **form})
    assert (answer.status_code, words in answer.text) == (404, True)
    assert journal(ledger) == []


def test_of_several_real_loans_one_is_chosen(ledger):
    two_loans(ledger)
    form = {"etape": "overdue_notice", "canal": "email"}
    with browsing() as client:
        several = client.post(REAL, data={**form, "recherche": "0935000123"})
        assert (several.status_code, "choisir lequel" in several.text) == (200, True)
        assert journal(ledger) == []
        offered = re.findall(r'name="pret" value="([^"]+)"', several.text)
        assert sorted(offered) == ["L-new", "L-old"]
        assert client.post(REAL, data={**form, "pret": offered[0]}).status_code == 200
    assert len(journal(ledger)) == 1


def test_a_reader_who_cannot_get_the_message_is_told_of(ledger):
    from loan_reminders.domain.states import Refusal
    from tests.scenes.builders import a_loan, a_patron
    from tests.scenes.ledger_runs import extracted

    extracted(ledger, [a_loan(patron=a_patron(mobile=Refusal.NOT_MOBILE))])
    with browsing() as client:
        answer = client.post(REAL, data={"etape": "overdue_notice", "canal": "sms", "recherche": "L1"})
    assert (answer.status_code, "pas un mobile" in answer.text) == (409, True)


def test_a_real_loan_is_shown_to_whoever_asks_and_kept(ledger):
    lent(ledger)
    form = {"etape": "overdue_notice", "canal": "email"}
    with browsing("chloé") as client:
        shown = client.post(REAL, data={**form, "recherche": "0935000123"})
        framed = client.post(f"{REAL}/cadre", data={**form, "pret": "L1"})
    assert (shown.status_code, framed.status_code) == (200, 200)
    assert "Introduction à l&#39;économie" in shown.text
    assert "Introduction" in framed.text
    assert "sandbox" in framed.headers["content-security-policy"]
    assert shown.headers["cache-control"] == "no-store"
    assert journal(ledger) == [("real_loan_previewed", "chloé", "P1")], "the page and its frame are one look"
    addresses = re.findall(r'(?:href|src|action)="([^"]+)"', shown.text)
    assert not [one for one in addresses if any(word in one for word in ("L1", *PERSONAL))]


def test_a_frame_without_its_page_is_a_look_of_its_own_and_so_is_each_page(ledger):
    lent(ledger)
    form = {"etape": "overdue_notice", "canal": "email"}
    with browsing("chloé") as client:
        client.post(f"{REAL}/cadre", data={**form, "pret": "L1"})
        client.post(REAL, data={**form, "recherche": "0935000123"})
        client.post(REAL, data={**form, "recherche": "0935000123"})
    with browsing("zoé") as client:
        client.post(f"{REAL}/cadre", data={**form, "pret": "L1"})
    assert [who for _, who, _ in journal(ledger)] == ["chloé"] * 3 + ["zoé"]
