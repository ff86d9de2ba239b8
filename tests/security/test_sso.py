"""Single sign-on as `deploy/sso/` sets it up, against a real OpenID Connect provider on this machine."""

from __future__ import annotations

from html import unescape

import pytest
import requests

from deploy.password_doors import DOORS
from deploy.sso import sentences
from loan_reminders.commands.roles import LIBRARIAN
from tests.e2e.fab_airflow import PASSWORD, try_a_door
from tests.simulators.oidc_provider import Fault

CHLOE = {
    "sub": "s-1", "preferred_username": "chloe", "given_name": "Chloé", "family_name": "Martin",
    "email": "chloe@bu-montclar.example", "groups": ["bu-pret", "etudiants"],
}  # fmt: skip
HTML = {"accept": "text/html"}


@pytest.fixture
def provider(fab):
    fab.provider.person, fab.provider.fault = dict(CHLOE), None
    yield fab.provider
    fab.provider.fault = None


@pytest.fixture
def browser():
    with requests.Session() as session:
        session.headers.update(HTML)
        yield session


def log_in(fab, browser, wanted="/relances/journal"):
    """Ask for a page and follow wherever that leads."""
    return browser.get(f"{fab.sso}{wanted}", timeout=60)


def roles_of(fab, username):
    rows = fab.postgres.execute(
        "SELECT r.name FROM ab_user u JOIN ab_user_role ur ON ur.user_id = u.id JOIN ab_role r ON r.id = ur.role_id"
        f" WHERE u.username = '{username}'",
        database=fab.database,
    )
    return {name for (name,) in rows}


def test_whoever_is_in_a_group_gets_its_role_and_the_page_that_was_asked_for(fab, provider, browser):
    page = log_in(fab, browser)
    assert (page.status_code, page.url) == (200, f"{fab.sso}/relances/journal")
    assert any(step.url.startswith(f"{provider.issuer}/authorize?") for step in page.history)
    assert roles_of(fab, "chloe") == {LIBRARIAN, "Public"}
    assert browser.get(f"{fab.sso}/relances/installation", timeout=60).status_code == 403
    assert browser.get(f"{fab.sso}/api/v2/connections", timeout=60).status_code == 403


def test_roles_are_those_of_todays_groups(fab, provider, browser):
    log_in(fab, browser)
    provider.person["groups"] = ["bu-statistiques"]
    with requests.Session() as other:
        other.headers.update(HTML)
        assert log_in(fab, other).status_code == 403
        assert browser.get(f"{fab.sso}/relances/journal", timeout=60).status_code == 403, "in the old session as well"


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault.SIGNATURE, sentences.NOT_VALID),
        (Fault.SYMMETRIC, sentences.NOT_VALID),
        (Fault.UNSIGNED, sentences.NOT_VALID),
        (Fault.AUDIENCE, sentences.NOT_VALID),
        (Fault.AUDIENCE_BUT_AZP, sentences.NOT_VALID),
        (Fault.ISSUER, sentences.NOT_VALID),
        (Fault.NONCE, sentences.NOT_VALID),
        (Fault.NO_NONCE, sentences.NOT_VALID),
        (Fault.NO_ID_TOKEN, sentences.NOT_VALID),
        (Fault.OTHER_SUBJECT, sentences.NOT_VALID),
        (Fault.EXPIRED, sentences.TOO_OLD),
        (Fault.DENIED, sentences.NOT_GRANTED),
        (Fault.NO_ANSWER, sentences.SILENT),
    ],
)
def test_what_is_wrong_is_refused_with_a_sentence(fab, provider, browser, fault, sentence):
    provider.fault = fault
    provider.person |= {"sub": "s-9", "preferred_username": "nouvelle", "email": "nouvelle@bu-montclar.example"}
    refused(fab, browser, sentence)
    assert roles_of(fab, "nouvelle") == set()


def refused(fab, browser, sentence):
    page = log_in(fab, browser)
    assert page.url == f"{fab.sso}/auth/login/"
    assert sentence in unescape(page.text)
    assert "_token" not in browser.cookies
    assert browser.get(f"{fab.sso}/relances/journal", headers={"accept": "*/*"}, timeout=60).status_code == 401


@pytest.mark.parametrize("groups", [["etudiants"], [], "etudiants", None, [["bu-pret"]], ["bu-oubliee"]])
def test_a_person_in_no_group_of_ours_is_refused_with_a_sentence(fab, provider, browser, groups):
    provider.person |= {
        "sub": "s-2",
        "preferred_username": "passant",
        "email": "p@bu-montclar.example",
        "groups": groups,
    }
    refused(fab, browser, sentences.NO_GROUP)
    assert roles_of(fab, "passant") == set()


def test_whoever_leaves_every_group_loses_the_old_session_too(fab, provider, browser):
    provider.person |= {"sub": "s-3", "preferred_username": "zoe", "email": "zoe@bu-montclar.example"}
    log_in(fab, browser)
    provider.person["groups"] = []
    with requests.Session() as other:
        other.headers.update(HTML)
        refused(fab, other, sentences.NO_GROUP)
    assert roles_of(fab, "zoe") == set()
    assert browser.get(f"{fab.sso}/relances/journal", timeout=60).status_code == 403


@pytest.mark.parametrize("email", ["chloe@ailleurs.example", None, "admin@bu-montclar.example"])
def test_nobody_takes_over_an_account_of_the_same_name(fab, provider, browser, email):
    provider.person |= {"sub": "s-4", "preferred_username": "Admin", "email": email, "email_verified": False}
    before = roles_of(fab, "admin")
    refused(fab, browser, sentences.OTHER_ACCOUNT)
    assert roles_of(fab, "admin") == before == {"Admin"}


@pytest.mark.parametrize("door", DOORS)
def test_no_password_opens_any_door(fab, door):
    """The first administrator's, which is right, and is good at the other server."""
    answer = try_a_door(fab.sso, door, PASSWORD)
    assert (answer.status_code, answer.json()["detail"]) == (403, sentences.NOT_THIS_WAY)


def test_a_person_without_a_name_is_refused(fab, provider, browser):
    del provider.person["preferred_username"]
    refused(fab, browser, sentences.NAMELESS)


def test_the_way_back_of_another_browser_is_refused(fab, provider, browser):
    """A link that logs somebody in as somebody else: the answer belongs to whoever began."""
    begun = browser.get(f"{fab.sso}/auth/login/etablissement", allow_redirects=False, timeout=60)
    answer = requests.get(begun.headers["location"], allow_redirects=False, timeout=60).headers["location"]
    with requests.Session() as victim:
        page = victim.get(answer, timeout=60)
        assert sentences.STALE in unescape(page.text)
        assert "_token" not in victim.cookies


def test_logging_out_ends_the_providers_session_too(fab, provider, browser):
    log_in(fab, browser)
    token = browser.cookies["_token"]
    provider.ended.clear()
    page = browser.get(f"{fab.sso}/api/v2/auth/logout", timeout=60)
    assert page.url.split("?")[0] == f"{fab.sso}/auth/login/"
    assert provider.ended == ["s-1"]
    assert "_token" not in browser.cookies
    for cookies in ({}, {"_token": token}):
        assert requests.get(f"{fab.sso}/relances/lots", cookies=cookies, timeout=60).status_code in (401, 403)


def test_no_secret_is_in_the_log(fab, provider, browser):
    log_in(fab, browser)
    log = (fab.processes.logs / "sso.log").read_text(encoding="utf-8")
    assert "Connexion refusée" in log
    for word in (provider.client_secret, CHLOE["email"]):
        assert word not in log, word
