"""Our types of connection in Airflow's own form, in a real browser: French fields, and *Test*, green and red."""

from __future__ import annotations

import json
import re

import pytest

from loan_reminders.hooks.connection_types.provider_info import provider_info
from tests.browser.connections import fill, labels, open_extra, open_form, tried
from tests.browser.visitor import Visitor, session
from tests.simulators.imap_server import ImapServer

TYPES = {each["connection-type"]: each for each in provider_info()["connection-types"]}


@pytest.fixture(scope="module")
def connection(installation):
    """What the installation's own runs use, as text for the form's fields."""

    def of(name):
        told = json.loads(installation.env[f"AIRFLOW_CONN_{name}"])
        names = ("host", "port", "login", "password", "schema")
        return {field: str(told[field]) for field in names if told.get(field)}

    return of


@pytest.fixture
def mailbox():
    """A mailbox with one message."""
    with ImapServer() as server:
        server.add(b"Subject: x\n\nx")
        login, password = server.credentials
        yield {"host": "127.0.0.1", "port": str(server.port), "login": login, "password": password}


@pytest.fixture
def administrator(browser, installation):
    """The administrator's browser; what was added is taken away."""
    visitor = Visitor.of(
        browser, installation.url, token=session(installation.url, "admin", installation.passwords["admin"])
    )
    yield visitor
    visitor.close()
    for found in installation.api.call("GET", "connections", params={"limit": 100})["connections"]:
        if found["connection_id"].startswith("essai_"):
            address = f"{installation.url}/api/v2/connections/{found['connection_id']}"
            installation.api.session.delete(address, timeout=60)


def form_of(page, installation, kind):
    return open_form(page, installation.url, f"essai_{kind}", TYPES[kind]["hook-name"])


def change(installation, kind, **fields):
    """Change what was saved, as somebody does who mistypes."""
    known = {"connection_id": f"essai_{kind}", "conn_type": kind, **fields}
    installation.api.call("PATCH", f"connections/essai_{kind}", json=known, params={"update_mask": list(fields)})


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_the_form_shows_our_fields_in_french(kind, administrator, installation):
    page = administrator.page()
    form = form_of(page, installation, kind)
    behaviour = TYPES[kind]["ui-field-behaviour"]
    hidden = behaviour.get("hidden-fields", [])
    wanted = {label for field, label in behaviour["relabeling"].items() if field not in hidden and field != "extra"}
    assert set(labels(form)) == {"ID de connexion", "Type de connexion", "Description", *wanted}
    open_extra(form)
    wanted = [field["label"] for field in TYPES[kind]["conn-fields"].values()]
    form.get_by_text(wanted[-1], exact=True).wait_for()
    assert labels(form)[-len(wanted) :] == wanted
    assert administrator.complaints == []


def test_allmysms_tells_the_credit_or_that_the_key_is_refused(administrator, installation, connection):
    page = administrator.page()
    fill(form_of(page, installation, "allmysms"), connection("ALLMYSMS"), switches=["login_in_clear"])
    fine, said = tried(page, "essai_allmysms")
    assert fine, said
    assert re.match(r"allmysms répond : il reste [\d\u202f]+ SMS", said)
    change(installation, "allmysms", password="0" * 32)
    page.reload()
    fine, said = tried(page, "essai_allmysms")
    assert not fine
    assert "refuse" in said


def test_the_ils_makes_the_first_steps(administrator, installation, connection):
    page = administrator.page()
    form = form_of(page, installation, "ils")
    service = json.loads(installation.env["AIRFLOW_CONN_ILS_ORACLE"])["extra"]["service_name"]
    fill(form, connection("ILS_ORACLE"), choices={"Moteur de la base": "Oracle"}, texts={"service_name": service})
    fine, said = tried(page, "essai_ils")
    assert fine, said
    assert "Serveur joint, compte accepté : Oracle" in said
    change(installation, "ils", extra=json.dumps({"engine": "oracle"}))
    page.reload()
    fine, said = tried(page, "essai_ils")
    assert not fine
    assert "il manque le service" in said


def test_the_relay_is_ready_or_does_not_answer(administrator, installation, connection):
    page = administrator.page()
    form = form_of(page, installation, "mail_relay")
    fill(form, connection("MAIL_RELAY"), choices={"Chiffrement": "aucun (port 25)"})
    assert tried(page, "essai_mail_relay") == (
        True, "Le serveur de messagerie répond et accepte cette connexion. Aucun message n'a été envoyé.",
    )  # fmt: skip
    change(installation, "mail_relay", extra=json.dumps({"security": "starttls"}))
    page.reload()
    fine, said = tried(page, "essai_mail_relay")
    assert not fine
    assert "n'offre pas ce que la connexion Airflow demande" in said


def test_the_mailbox_opens_or_refuses_the_password(administrator, installation, mailbox):
    page = administrator.page()
    form = form_of(page, installation, "bounce_mailbox")
    fill(form, mailbox, switches=["use_ssl", "login_in_clear"])
    assert tried(page, "essai_bounce_mailbox") == (
        True, "Le dossier « INBOX » s'ouvre : 1 message. Rien n'a été lu ni déplacé.",
    )  # fmt: skip
    change(installation, "bounce_mailbox", password="un autre")
    page.reload()
    fine, said = tried(page, "essai_bounce_mailbox")
    assert not fine
    assert "refuse l'identifiant ou le mot de passe" in said
