"""The desk's page: whom nothing reached and why, what is in doubt, and letters that came back."""

from __future__ import annotations

import re

import pytest

from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.domain.suppressions.suppression import SuppressionReason, SuppressionSummary
from loan_reminders.settings.library_toml import settings
from loan_reminders.web.suppressions.table_rows import question_answered, who_is_meant
from tests.scenes.ledger_registered import in_a_batch, ref, some_letters, trace
from tests.scenes.ledger_runs import answer, ids, opened, planned, rows, some_deliveries
from tests.web.client import browsing

pytestmark = pytest.mark.usefixtures("installed")
PAGE = "/bureau"
BACK = f"{PAGE}/npai"
SETTLED = f"{PAGE}/regle"


def skipped(ledger, reason, detail):
    [letter] = some_letters(1)
    run = opened(ledger, stage=Stage.REGISTERED_LETTER)
    ledger.record_loans(run.run_id, letter.loans)
    rows(
        ledger,
        "INSERT INTO skips (library, run_id, loan_id, due_date, patron_id, reason, detail)"
        " VALUES (:library, :run, 'L0', :due, 'PL0', :reason, :detail)",
        library=settings().library.code, run=run.run_id, due=letter.notice.due_date, reason=reason, detail=detail,
    )  # fmt: skip


def test_a_reader_without_a_home_is_listed_with_the_reason_in_french(ledger):
    skipped(ledger, "invalid_recipient", "registered_letter:homeless")
    with browsing() as client:
        answer = client.get(PAGE)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    for words in ("21000L0", "Lecteur L0", "adresse postale : sans domicile fixe", "lettre recommandée"):
        assert words in answer.text


def test_an_empty_desk_says_so(ledger):
    with browsing() as client:
        page = client.get(PAGE).text
    for words in (
        "Personne, depuis 30 jours.",
        "Aucune adresse NPAI.",
        "Aucun.",
        "Aucune.",
        "Aucun, depuis 30 jours.",
        "Aucune à lire.",
    ):
        assert words in page
    assert "Seules" not in page


@pytest.fixture
def long_list(ledger):
    """Fifty-two letters of one run that could not be laid out, and one of a later run."""
    planned(ledger, some_letters(52), stage=Stage.REGISTERED_LETTER)
    [one] = some_letters(1, prefix="A", channel=Channel.LETTER)
    planned(ledger, [one], stage=Stage.FIRST_REMINDER, dag_run_id="later")
    rows(ledger, "UPDATE deliveries SET state = 'refused', reason = 'not_rendered'")


def listed(client, **asked):
    """The readers that one list of the page shows, and the page."""
    page = client.get(PAGE, params={"liste": "non-composees", **asked})
    return re.findall(r">Lecteur (\w+)</a>", page.text), page.text


def test_a_long_list_is_cut_and_leads_to_its_pages(long_list):
    with browsing() as client:
        page = client.get(PAGE).text
        assert page.count(">Lecteur ") == 50
        assert "Seules les 50 premières lignes" in page
        assert 'href="/bureau?liste=non-composees"' in page
        first, shown = listed(client)
        rest, last = listed(client, page=2)
        assert (len(first), len(rest), set(first) & set(rest)) == (50, 3, set())
        assert ("Page 1</span>" in shown, "Page 2 sur 2" in last, "non-aboutis" in last) == (True, True, False)
        assert "liste=non-composees&amp;page=2#non-composees" in last, "a form leads back to the page where it stands"
        assert [*listed(client, tri="jour")[0], *listed(client, tri="jour", page=2)[0]] == [*reversed([*first, *rest])]
        assert listed(client, etape="first_reminder")[0] == ["A0"]
        assert client.get(f"{PAGE}?liste=x").status_code == client.get(f"{PAGE}?etape=x").status_code == 404


def test_whoever_settles_the_last_line_of_a_page_is_led_to_the_one_before(ledger, long_list):
    with browsing() as client:
        rows(ledger, "DELETE FROM desk_settlements")
        place = "liste=non-composees&page=3#non-composees"
        number = rows(ledger, "SELECT delivery_id FROM deliveries LIMIT 1")[0][0]
        done = client.post(SETTLED, data={"envoi": str(number), "ici": place})
        there = client.get(done.headers["location"])
        assert (there.status_code, there.headers["location"]) == (303, f"{PAGE}?liste=non-composees&page=2")
        assert "Réglé : l&#39;envoi" in client.get(there.headers["location"]).text
        far = client.get(f"{PAGE}?liste=non-composees&page=99999")
        assert far.headers["location"] == f"{PAGE}?liste=non-composees"
        again = client.post(SETTLED, data={"envoi": str(number), "ici": "liste=non-composees"})
        assert ("déjà réglé" in again.text, "Tout le bureau" in again.text) == (True, True)
        emptied = client.post(SETTLED, data={"envoi": str(number), "ici": place})
        assert (emptied.status_code, "déjà réglé" in emptied.text) == (200, True), "a refusal is said, wherever it was"


def test_an_ordinary_letter_that_came_back_puts_its_address_on_the_list(ledger):
    _, [letter] = in_a_batch(ledger, 1, channel=Channel.LETTER, prefix="S")
    with browsing("chloé") as client:
        answer = client.post(BACK, data={"reference": f" {ref(0, 'S').lower()}\r\n"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/bureau#npai")
        page = client.get(PAGE).text
        assert "LECTEUR 0, 12 RUE DES LILAS, 06000 NICE" in page
        assert "déjà noté" in client.post(BACK, data={"reference": ref(0, "S")}).text
    [line] = ledger.feedback().suppressions()
    assert (line.reason, line.in_force) == (SuppressionReason.RETURNED_UNDELIVERABLE, True)
    assert [(act, who) for act, who, _, _ in trace(ledger, letter)] == [("returned", "chloé")]


@pytest.mark.parametrize(
    ("reference", "words"),
    [("", "Il manque la référence"), ("R1-0", "Aucune lettre"), (ref(0), "noter son retour sur la page")],
)
def test_what_cannot_come_back_is_told(ledger, reference, words):
    in_a_batch(ledger, 1)
    with browsing() as client:
        answer = client.post(BACK, data={"reference": reference})
    assert (answer.status_code, words in answer.text) == (400, True)
    assert ledger.feedback().suppressions() == ()


def refused(ledger):
    [mail] = some_deliveries(1, prefix="M")
    run = planned(ledger, [mail], dag_run_id="mails")
    with ledger.sender(run.run_id, Channel.EMAIL) as sender:
        sender.claim(ids([mail]))
        sender.record([answer(mail, DeliveryState.REFUSED, Reason.RECIPIENT_REFUSED)])
    return mail.delivery_id


def test_a_message_that_did_not_arrive_is_listed_until_somebody_settles_it(ledger):
    delivery_id = refused(ledger)
    with browsing("chloé") as client:
        page = client.get(PAGE).text
        for words in ("destinataire refusé", "avis de retard", str(delivery_id)):
            assert words in page
        said = client.post(SETTLED, data={"envoi": str(delivery_id), "ici": "x=1#non-aboutis"})
        assert (said.status_code, said.headers["location"]) == (303, "/bureau?x=1#non-aboutis")
        assert "Réglé : l&#39;envoi a quitté la liste." in client.get(said.headers["location"]).text
        assert str(delivery_id) not in client.get(PAGE).text
        assert "déjà réglé" in client.post(SETTLED, data={"envoi": str(delivery_id)}).text
    assert rows(ledger, "SELECT delivery_id, who FROM desk_settlements") == [(delivery_id, "chloé")]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        *((one, "Cet envoi est inconnu") for one in ("", "12", "x" * 99)),
        ("\x00", "Le champ « envoi » ne peut pas avoir cette valeur."),
    ],
)
def test_what_is_no_delivery_cannot_be_settled(ledger, wrong, words):
    with browsing() as client:
        said = client.post(SETTLED, data={"envoi": wrong})
    assert (said.status_code, words in said.text) == (400, True)


def test_only_who_may_change_settles(ledger):
    delivery_id = refused(ledger)
    for who, status in (("", 401), ("lecteur", 403)):
        with browsing(who) as client:
            assert client.post(SETTLED, data={"envoi": str(delivery_id)}).status_code == status
    assert rows(ledger, "SELECT count(*) FROM desk_settlements") == [(0,)]


@pytest.mark.parametrize(("method", "path"), [("GET", PAGE), ("POST", BACK)])
def test_without_login_there_is_nothing_to_see(ledger, method, path):
    skipped(ledger, "no_recipient", "")
    with browsing("") as client:
        answer = client.request(method, path)
    assert (answer.status_code, "Lecteur" in answer.text) == (401, False)


def test_a_reader_of_dags_sees_nobody_and_changes_nothing(ledger):
    in_a_batch(ledger, 1, channel=Channel.LETTER, prefix="S")
    with browsing("lecteur") as client:
        assert client.get(PAGE).status_code == 403
        assert client.post(BACK, data={"reference": ref(0, "S")}).status_code == 403
    assert ledger.feedback().suppressions() == ()


def test_without_its_ledger_the_page_says_what_to_do(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_REMINDERS_LEDGER")
    with browsing() as client:
        for answer in (client.get(PAGE), client.post(BACK, data={"reference": "R1-0"})):
            assert (answer.status_code, "reminders_ledger" in answer.text) == (503, True)


@pytest.mark.parametrize(
    ("channel", "recipient", "words"),
    [
        (Channel.SMS, "33639980001", "06 39 98 00 01"),
        (Channel.EMAIL, "camille@etu.example.fr", "camille@etu.example.fr"),
        (Channel.LETTER, '{"lines": ["MME MARTIN", "06000 NICE"], "postcode": "06000"}', "MME MARTIN, 06000 NICE"),
        (Channel.LETTER, "illisible", "illisible"),
    ],
)
def test_the_list_shows_addresses_as_people_write_them(channel, recipient, words):
    assert who_is_meant(channel, recipient) == words


def test_the_summary_counts_numbers_and_addresses_apart():
    reasons = {SuppressionReason.STOP: 1, SuppressionReason.HARD_BOUNCE: 2}
    words = question_answered(SuppressionSummary(in_force=reasons, sms_since=0))
    assert words.startswith("1 numéro désinscrit et 2 adresses mortes (")
    only = question_answered(SuppressionSummary(in_force={SuppressionReason.HARD_BOUNCE: 1}, sms_since=0))
    assert only.startswith("1 adresse morte (")
    assert "numéro désinscrit" not in only


def test_bounces_that_came_too_many_at_once_are_shown_and_decided_by_a_librarian(ledger):
    from tests.scenes.ledger_emails import came_back_in_a_mass, dead_addresses

    came_back_in_a_mass(ledger)
    with browsing() as client:
        page = client.get(PAGE).text
        for words in (
            "E-mails revenus en masse",
            "univ.example",
            '<span class="big">6</span> adresses',
            "Panne de notre côté",
        ):
            assert words in page
        assert client.post(f"{PAGE}/retours", data={"domaine": "univ.example"}).status_code == 400
        assert client.post(f"{PAGE}/retours", data={"domaine": "univ.example", "mortes": "ou"}).status_code == 400
        answer = client.post(f"{PAGE}/retours", data={"domaine": "univ.example", "mortes": "oui"})
        assert (answer.status_code, "E-mails revenus en masse" in client.get(PAGE).text) == (303, False)
        assert "Plus aucun retour" in client.post(f"{PAGE}/retours", data={"domaine": "x", "mortes": "non"}).text
    assert len(dead_addresses(ledger)) == 6


def test_who_may_only_read_cannot_decide_about_bounces(ledger):
    from tests.scenes.ledger_emails import came_back_in_a_mass, dead_addresses

    came_back_in_a_mass(ledger)
    with browsing("lecteur") as client:
        assert client.post(f"{PAGE}/retours", data={"domaine": "univ.example", "mortes": "oui"}).status_code == 403
    assert dead_addresses(ledger) == []


def test_what_came_back_and_could_not_be_read_is_shown(ledger):
    rows(
        ledger,
        "INSERT INTO put_aside (library, kind, fingerprint, about, said, why)"
        " VALUES (:library, 'reply', 'f', '33639980001', 'STOP <b>', 'trop grand (SQLSTATE 54000)')",
        library=settings().library.code,
    )
    with browsing() as client:
        page = client.get(PAGE).text
    assert "SQLSTATE" not in page
    for words in (
        "réponse à un SMS",
        "33639980001",
        "STOP &lt;b&gt;",
        "trop grand",
        "Ce qui est revenu dans les 30 derniers jours",
    ):
        assert words in page


def test_what_was_put_aside_leaves_the_list_once_somebody_saw_to_it(ledger):
    [(number,)] = rows(
        ledger,
        "INSERT INTO put_aside (library, kind, fingerprint, about, said, why)"
        " VALUES (:library, 'reply', 'f', '33639980001', 'STOP', 'illisible') RETURNING put_aside_id",
        library=settings().library.code,
    )
    with browsing("chloé") as client:
        said = client.post(f"{PAGE}/lu", data={"retour": str(number)})
        assert (said.status_code, said.headers["location"]) == (303, "/bureau")
        page = client.get(said.headers["location"]).text
        assert ("33639980001" in page, "Réglé : le retour" in page) == (False, True)
        assert "déjà réglé" in client.post(f"{PAGE}/lu", data={"retour": str(number)}).text
        assert client.post(f"{PAGE}/lu", data={"retour": "x"}).status_code == 400
    assert rows(ledger, "SELECT settled_by FROM put_aside") == [("chloé",)]
    assert rows(ledger, "SELECT who, act, facts->>'kind' FROM journal") == [("chloé", "aside_settled", "reply")]
