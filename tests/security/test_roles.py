"""The roles that `loan-reminders roles` makes, with real accounts of FAB: every route, every role.

`test_rights.py` is the same walk with made-up people; here Airflow itself says who may what.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from html import unescape
from itertools import cycle, islice

import pytest
import requests

from deploy.password_doors import DOORS
from loan_reminders.commands.roles import ADMINISTRATOR, LIBRARIAN, READER, wanted_roles
from loan_reminders.domain.stages import Stage
from loan_reminders.web.access import Right
from tests.e2e.fab_airflow import PASSWORD, try_a_door
from tests.web.client import calls, routes

PEOPLE = {
    "lectrice": ([READER], {Right.SEE}),
    "bibliothecaire": ([LIBRARIAN], {Right.SEE, Right.ACT}),
    "responsable": ([ADMINISTRATOR], set(Right)),
    "viewer": (["Viewer"], {Right.SEE}),
    "user": (["User"], {Right.SEE, Right.ACT}),
    "op": (["Op"], set(Right)),
    "personne": (["Public"], set()),
}
"""An account of each role, and the rights that `docs/rights.md` promises."""
TRIES_IN_A_MINUTE = 10
"""`AUTH_RATE_LIMIT` of `deploy/accounts/webserver_config.py`."""


@pytest.fixture(scope="module")
def people(fab):
    for username, (roles, _) in PEOPLE.items():
        fab.add_user(username, *roles)
    return {**{name: rights for name, (_, rights) in PEOPLE.items()}, "admin": set(Right)}


def test_every_role_walks_every_route(fab, people):
    """One table, role by route: 401 without a session, 403 without the right, an answer with it."""
    seen = set()
    for route in routes():
        for method, path in calls(route):
            address = f"/relances{path}"
            assert fab.asked(method, address).status_code == 401, (method, path)
            for username, rights in people.items():
                status = fab.asked(method, address, username).status_code
                if route.right is None or route.right in rights:
                    assert status in (200, 303, 400, 404, 409, 503), (username, method, path, status)
                    seen |= {(username, route.right)} if route.right else set()
                else:
                    assert status == 403, (username, method, path, status)
    assert seen == {(username, right) for username, rights in people.items() for right in rights}


@pytest.mark.parametrize(
    ("method", "path", "may"),
    [
        ("GET", "dags/first_reminder", {"lectrice", "bibliothecaire", "responsable"}),
        ("GET", "dags/first_reminder/dagRuns", {"lectrice", "bibliothecaire", "responsable"}),
        ("GET", "plugins", {"lectrice", "bibliothecaire", "responsable"}),
        ("POST", "dags/first_reminder/dagRuns", {"bibliothecaire", "responsable"}),
        ("PATCH", "dags/first_reminder", {"bibliothecaire", "responsable"}),
        ("POST", "dags/first_reminder/clearTaskInstances", {"bibliothecaire", "responsable"}),
        ("GET", "dags/first_reminder/dagRuns/x/taskInstances/y/logs/1", {"bibliothecaire", "responsable"}),
        ("PATCH", "dags/first_reminder/dagRuns/x/taskInstances/y/-1/hitlDetails", {"bibliothecaire", "responsable"}),
        ("DELETE", "dags/first_reminder", set()),
        ("DELETE", "dags/first_reminder/dagRuns/x", set()),
        ("GET", "dagSources/first_reminder", {"responsable"}),
        ("GET", "connections", {"responsable"}),
        ("PATCH", "connections/mail_relay", {"responsable"}),
        ("GET", "importErrors", {"responsable"}),
        ("GET", "variables", set()),
        ("POST", "variables", set()),
        ("GET", "config", set()),
    ],
)
def test_airflows_own_addresses_keep_to_the_roles_too(fab, people, method, path, may):
    for username in ("lectrice", "bibliothecaire", "responsable", "personne"):
        status = fab.asked(method, f"/api/v2/{path}", username, json={}).status_code
        allowed = status not in (401, 403)
        assert allowed is (username in may), (username, status)


def test_none_of_the_roles_manages_accounts(fab, people):
    for username in ("lectrice", "bibliothecaire", "responsable"):
        for method, path in (("GET", "users"), ("POST", "users"), ("GET", "roles"), ("POST", "roles")):
            assert fab.asked(method, f"/auth/fab/v1/{path}", username, json={}).status_code == 403, (username, path)


def test_the_journal_gets_the_name_of_the_account(fab, people):
    answer = fab.asked("POST", "/relances/desinscriptions", "bibliothecaire", data={"numero": "06 12 34 56 78"})
    assert answer.status_code == 303
    [(who,)] = fab.postgres.execute("SELECT who FROM journal ORDER BY entry_id DESC LIMIT 1", database=fab.ledger)
    assert who == "bibliothecaire"


def test_an_account_that_is_closed_or_loses_its_role_is_out_at_once(fab, people):
    fab.add_user("partie", LIBRARIAN)
    assert fab.asked("GET", "/relances/journal", "partie").status_code == 200
    fab.asked("PATCH", "/auth/fab/v1/users/partie?update_mask=roles", "admin", json={"roles": [{"name": READER}]})
    assert fab.asked("GET", "/relances/journal", "partie").status_code == 403
    fab.postgres.execute("UPDATE ab_user SET active = false WHERE username = 'partie'", database=fab.database)
    assert fab.asked("GET", "/relances/lots", "partie").status_code in (401, 403)
    fab.postgres.execute("UPDATE ab_user SET active = true WHERE username = 'partie'", database=fab.database)
    assert fab.asked("GET", "/relances/lots", "partie").status_code == 200
    fab.asked("DELETE", "/auth/fab/v1/users/partie", "admin")
    assert fab.asked("GET", "/relances/lots", "partie").status_code in (401, 403)


# The log-in form, as a browser fills it in


def log_in(fab, session: requests.Session, username: str, wanted: str) -> requests.Response:
    """Ask for a page, follow to the form, and fill it in."""
    form = session.get(f"{fab.local}{wanted}", headers={"accept": "text/html"}, timeout=60)
    assert form.url.startswith(f"{fab.local}/auth/login/?next="), form.url
    csrf = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form.text)
    assert csrf is not None
    fields = {"username": username, "password": PASSWORD, "csrf_token": csrf[1]}
    return session.post(form.url, data=fields, headers={"accept": "text/html"}, timeout=60)


def test_the_form_leads_back_to_the_page_that_was_asked_for(fab, people):
    with requests.Session() as session:
        page = log_in(fab, session, "bibliothecaire", "/relances/lots")
        assert (page.status_code, page.url) == (200, f"{fab.local}/relances/lots")
        assert "Lots de lettres" in unescape(page.text)
        cookie = next(one for one in session.cookies if one.name == "_token")
        assert cookie.has_nonstandard_attr("HttpOnly")
        session.cookies.clear(cookie.domain, cookie.path, "_token")
        again = session.get(f"{fab.local}/relances/journal", headers={"accept": "text/html"}, timeout=60)
        assert again.url == f"{fab.local}/relances/journal", "whoever is logged in still need not type again"


def test_the_form_leads_to_no_other_site(fab, people):
    with requests.Session() as session:
        form = session.get(f"{fab.local}/auth/login/?next=https://ailleurs.example/", timeout=60)
        csrf = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form.text)[1]
        fields = {"username": "bibliothecaire", "password": PASSWORD, "csrf_token": csrf}
        answer = session.post(form.url, data=fields, allow_redirects=False, timeout=60)
    assert answer.status_code == 302
    assert "ailleurs" not in answer.headers["location"]


def test_logging_out_ends_the_session(fab, people):
    with requests.Session() as session:
        log_in(fab, session, "lectrice", "/relances/lots")
        token = session.cookies["_token"]
        session.get(f"{fab.local}/api/v2/auth/logout", timeout=60)
        assert "_token" not in session.cookies
        for cookies in ({}, {"_token": token}):
            status = requests.get(f"{fab.local}/relances/lots", cookies=cookies, timeout=60).status_code
            assert status in (401, 403), "the token itself is of no more use"


# The command


def test_the_first_start_made_tables_roles_and_the_first_administrator(fab):
    assert "rôles : 3 créés" in fab.said["prepare"]
    assert "premier administrateur : admin est créé" in fab.said["prepare"]
    assert PASSWORD not in "".join(fab.said.values())


def test_the_roles_are_made_again_as_they_should_be(fab, people):
    assert f"{len(wanted_roles())} rôles sur {len(wanted_roles())}" in fab.run("loan_reminders", "roles")
    actions = [{"action": {"name": "can_read"}, "resource": {"name": "Variables"}}]
    fab.asked("PATCH", f"/auth/fab/v1/roles/{READER}", "admin", json={"name": READER, "actions": actions})
    told = fab.run("loan_reminders", "roles", "--verifier", status=1)
    assert re.search(rf"{READER} : diffère \(.*- can_read Variables", told), told
    assert fab.asked("GET", "/relances/lots", "lectrice").status_code == 403, "--verifier changes nothing"
    assert f"{READER} : remis d’aplomb" in fab.run("loan_reminders", "roles")
    assert fab.asked("GET", "/relances/lots", "lectrice").status_code == 200


def test_starting_again_changes_no_password_and_adds_nobody(fab):
    (fab.folder / "admin_password").write_text("another-password-1", encoding="utf-8")
    assert "il y en a déjà un" in fab.run("loan_reminders", "prepare", REMINDERS_ADMIN_USERNAME="second")
    fab.tokens.pop("admin", None)
    assert fab.token("admin")


def test_without_fab_the_command_says_that_it_is_of_no_use(fab):
    simple = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
    told = fab.run("loan_reminders", "roles", status=1, AIRFLOW__CORE__AUTH_MANAGER=simple)
    assert "[core] auth_manager n'est pas FAB" in told


def test_librarians_may_work_on_every_dag_and_no_other(fab):
    dags = {f"DAG:{stage}" for stage in Stage}
    for name, permissions in wanted_roles().items():
        on_dags = {resource for _, resource in permissions if resource.startswith("DAG:")}
        assert on_dags >= dags, name
        assert not any(resource == "DAGs" and action != "menu_access" for action, resource in permissions), name


def guess_until_refused(guess: Iterator[requests.Response]) -> requests.Response:
    """The first refusal that still stands for a while.

    Tries are counted by windows of a minute, and the tests before have begun one: it may end between two guesses. Two
    windows answer no more than twice the limit.
    """
    for answer in islice(guess, 2 * TRIES_IN_A_MINUTE + 1):
        assert answer.status_code in (401, 429), answer.text
        if answer.status_code == 429 and int(answer.headers["Retry-After"]) >= 20:
            return answer
        if answer.status_code == 429:
            time.sleep(int(answer.headers["Retry-After"]) + 1)
    pytest.fail("guesses were never refused")


def test_guessing_passwords_is_slowed_down_where_programs_ask_for_a_token(fab):
    """The tries at all doors are counted together, and the right password does not open one any more."""
    refused = guess_until_refused(try_a_door(fab.local, door, "a-guess") for door in cycle(DOORS))
    assert int(refused.headers["Retry-After"]) <= 60
    assert "réessayer dans" in refused.json()["detail"]
    for door in DOORS:
        assert try_a_door(fab.local, door, PASSWORD).status_code == 429, door
    assert requests.get(f"{fab.local}/api/v2/monitor/health", timeout=60).ok, "nothing else is closed"


def test_guessing_passwords_is_slowed_down(fab):
    """Last: the form is closed to this machine for a minute."""
    with requests.Session() as session:
        statuses = []
        while 429 not in statuses and len(statuses) <= 2 * TRIES_IN_A_MINUTE:
            form = session.get(f"{fab.local}/auth/login/", timeout=60)
            csrf = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form.text)[1]
            fields = {"username": "admin", "password": "a-guess", "csrf_token": csrf}
            answer = session.post(form.url, data=fields, timeout=60, allow_redirects=False)
            statuses.append(answer.status_code)
    assert set(statuses) == {302, 429}
    assert statuses[-1] == 429
