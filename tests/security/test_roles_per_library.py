"""Two libraries in one installation, with real accounts of FAB: who works for one gets 403 on all of the other."""

from __future__ import annotations

import pytest
from starlette.routing import Mount

from loan_reminders.commands.roles import ADMINISTRATOR, LIBRARIAN, READER, role_of
from loan_reminders.domain.dag_ids import dag_id
from loan_reminders.web.access import Right
from loan_reminders.web.guard import GuardedRoute
from tests.scenes.several_libraries import use, write_libraries
from tests.web.client import calls

PEOPLE = {
    "lectrice-rivage": (role_of(READER, "rivage"), {"rivage": {Right.SEE}}),
    "biblio-rivage": (role_of(LIBRARIAN, "rivage"), {"rivage": {Right.SEE, Right.ACT}}),
    "admin-rivage": (role_of(ADMINISTRATOR, "rivage"), {"rivage": {Right.SEE, Right.ACT}}),
    "biblio-colline": (role_of(LIBRARIAN, "colline"), {"colline": {Right.SEE, Right.ACT}}),
    "biblio-reseau": (LIBRARIAN, {code: {Right.SEE, Right.ACT} for code in ("rivage", "colline")}),
    "admin-reseau": (ADMINISTRATOR, {code: set(Right) for code in ("rivage", "colline")}),
}
"""An account of each role, and its rights in each library; the last two are of the whole network."""


@pytest.fixture(scope="module")
def network(fab, tmp_path_factory):
    """The address of a web server of two libraries, on the same accounts; afterwards the roles are as before."""
    folder = write_libraries(tmp_path_factory.mktemp("network") / "libraries", "rivage", "colline")
    told = fab.run("loan_reminders", "roles", REMINDERS_CONFIG=str(folder))
    assert f"{role_of(LIBRARIAN, 'rivage')} : créé" in told
    fab.run("airflow", "dags", "reserialize", REMINDERS_CONFIG=str(folder))
    address = fab.start("network", fab.env | {"REMINDERS_CONFIG": str(folder)})
    fab.wait(address)
    for username, (role, _) in PEOPLE.items():
        fab.add_user(username, role)
    yield folder, address
    fab.run("loan_reminders", "roles")


@pytest.fixture
def two(network, monkeypatch):
    folder, address = network
    use(monkeypatch, folder)
    return address


def every_route():
    from loan_reminders.web.app import create_app

    [pages] = [route.app.pages for route in create_app().routes if isinstance(route, Mount)]
    return [route for route in pages.routes if isinstance(route, GuardedRoute)]


def test_each_role_walks_every_route_of_both_libraries(fab, two):
    refused = 0
    for route in every_route():
        for method, path in calls(route):
            for code in ("rivage", "colline"):
                for username, (_, rights) in PEOPLE.items():
                    answer = fab.asked(method, f"/relances/{code}{path}", username, server=two)
                    ours = rights.get(code, set())
                    if route.right in ours or (route.right is None and ours):
                        assert answer.status_code not in (401, 403, 500), (username, code, method, path)
                    else:
                        assert answer.status_code == 403, (username, code, method, path, answer.status_code)
                        refused += code not in rights
    assert refused > 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "dags/{dag}"),
        ("PATCH", "dags/{dag}"),
        ("DELETE", "dags/{dag}"),
        ("GET", "dags/{dag}/details"),
        ("GET", "dags/{dag}/tasks"),
        ("GET", "dags/{dag}/dagRuns"),
        ("POST", "dags/{dag}/dagRuns"),
        ("GET", "dags/{dag}/dagRuns/x"),
        ("PATCH", "dags/{dag}/dagRuns/x"),
        ("POST", "dags/{dag}/dagRuns/x/clear"),
        ("POST", "dags/{dag}/clearTaskInstances"),
        ("GET", "dags/{dag}/dagRuns/x/taskInstances"),
        ("GET", "dags/{dag}/dagRuns/x/taskInstances/y/logs/1"),
        ("GET", "dags/{dag}/dagRuns/x/taskInstances/y/xcomEntries"),
        ("GET", "dags/{dag}/dagRuns/x/hitlDetails"),
        ("PATCH", "dags/{dag}/dagRuns/x/taskInstances/y/-1/hitlDetails"),
        ("GET", "dags/{dag}/dagVersions"),
        ("GET", "dagSources/{dag}"),
    ],
)
def test_airflows_own_addresses_of_the_other_library_are_closed_too(fab, two, method, path):
    theirs = path.replace("{dag}", dag_id("first_reminder", "colline"))
    for username in ("lectrice-rivage", "biblio-rivage", "admin-rivage"):
        assert fab.asked(method, f"/api/v2/{theirs}", username, server=two, json={}).status_code == 403, username


def test_lists_name_nothing_of_the_other_library(fab, two):
    for username in ("lectrice-rivage", "biblio-rivage", "admin-rivage"):
        dags = fab.asked("GET", "/api/v2/dags?limit=100", username, server=two)
        found = {dag["dag_id"] for dag in dags.json()["dags"]}
        assert dag_id("first_reminder", "rivage") in found
        assert all(one.endswith("__rivage") for one in found), username
        for path in ("dags/~/dagRuns", "dagTags?limit=100", "dags/~/dagRuns/~/taskInstances/list"):
            method = "POST" if path.endswith("/list") else "GET"
            answer = fab.asked(method, f"/api/v2/{path}", username, server=two, json={})
            assert "colline" not in answer.text, (username, path)
        page = fab.asked("GET", "/relances/", username, server=two, headers={"accept": "text/html"})
        assert "colline" not in page.text.lower(), username


@pytest.fixture
def a_wrong_file(network, fab):
    """The file of one library has a value that cannot be, and Airflow has read the DAGs since."""
    folder, _ = network
    file = folder / "colline.toml"
    sound = file.read_text(encoding="utf-8")
    file.write_text(sound.replace('hour = "10:00"', 'hour = "25:61"'), encoding="utf-8")
    fab.run("airflow", "dags", "reserialize", REMINDERS_CONFIG=str(folder))
    yield
    file.write_text(sound, encoding="utf-8")
    fab.run("airflow", "dags", "reserialize", REMINDERS_CONFIG=str(folder))


def test_what_is_wrong_in_one_librarys_file_is_for_who_administers_all(fab, two, a_wrong_file):
    """Airflow shows the errors of a file without DAGs, such as `libraries.py`, to whoever may read any error."""
    told = fab.asked("GET", "/api/v2/importErrors", "admin-reseau", server=two)
    [error] = told.json()["import_errors"]
    assert ("colline.toml" in error["stack_trace"], "25:61" in error["stack_trace"]) == (True, True)
    for path in ("importErrors", f"importErrors/{error['import_error_id']}"):
        for username in set(PEOPLE) - {"admin-reseau"}:
            answer = fab.asked("GET", f"/api/v2/{path}", username, server=two)
            assert answer.status_code == 403, (username, path)
            assert "colline" not in answer.text


def test_only_who_administers_all_reaches_the_connections_of_all(fab, two):
    may = {name for name in PEOPLE if fab.asked("GET", "/api/v2/connections", name, server=two).status_code == 200}
    assert may == {"admin-reseau"}
