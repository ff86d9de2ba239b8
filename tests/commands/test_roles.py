"""What FAB's own rules make of the roles, without a database; real accounts are in `tests/security/test_roles.py`."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import pytest

from loan_reminders.commands.roles import (
    ADMINISTRATOR,
    LIBRARIAN,
    READER,
    compare,
    main,
    make_roles,
    role_of,
    wanted_roles,
)
from loan_reminders.domain.dag_ids import dag_id
from loan_reminders.settings.library_toml import forget_settings
from tests.scenes.several_libraries import use, write_libraries

LIBRARIES = ("rivage", "colline")


@pytest.fixture(scope="module")
def auth_manager():
    """FAB's auth manager, of which these questions need neither application nor database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager
    return FabAuthManager()


def may(auth_manager, permissions, code):
    """The rights that `web/access.py` would find, for a library of several or (None) the only one."""
    from airflow.api_fastapi.auth.managers.models.resource_details import ConnectionDetails, DagDetails

    user, dag = SimpleNamespace(perms=set(permissions)), DagDetails(id=dag_id("registered_letter", code))
    see = auth_manager.is_authorized_dag(method="GET", details=dag, user=user)
    found = {"see"} if see else set()
    found |= {"act"} if auth_manager.is_authorized_dag(method="PUT", details=dag, user=user) else set()
    of_all = ConnectionDetails(conn_id="reminders_ledger")
    if auth_manager.is_authorized_connection(method="PUT", details=of_all, user=user) and (see or code is None):
        found.add("administer")
    return found


def test_of_one_library_the_three_roles_have_the_three_rights(auth_manager):
    roles = wanted_roles()
    assert {name: may(auth_manager, permissions, None) for name, permissions in roles.items()} == {
        READER: {"see"},
        LIBRARIAN: {"see", "act"},
        ADMINISTRATOR: {"see", "act", "administer"},
    }


def test_of_several_each_librarys_roles_reach_its_own_dags_alone(auth_manager, tmp_path, monkeypatch):
    use(monkeypatch, write_libraries(tmp_path / "libraries", *LIBRARIES))
    roles = wanted_roles()
    assert len(roles) == 3 + 3 * len(LIBRARIES)
    for code in LIBRARIES:
        for other in LIBRARIES:
            of_this = code == other
            assert may(auth_manager, roles[role_of(READER, code)], other) == ({"see"} if of_this else set())
            for name in (LIBRARIAN, ADMINISTRATOR):
                assert may(auth_manager, roles[role_of(name, code)], other) == ({"see", "act"} if of_this else set())
        assert may(auth_manager, roles[LIBRARIAN], code) == {"see", "act"}
        assert may(auth_manager, roles[ADMINISTRATOR], code) == {"see", "act", "administer"}
    every = {resource for permissions in roles.values() for _, resource in permissions}
    assert not any(resource.startswith("DAG:") and "__" not in resource for resource in every)
    assert all(len(name) <= 64 for name in roles), "FAB's column"


def test_a_folder_without_a_library_has_no_roles(tmp_path, monkeypatch, capsys):
    use(monkeypatch, write_libraries(tmp_path / "libraries"))
    assert main(["--verifier"]) == 1
    assert "aucun fichier de bibliothèque" in capsys.readouterr().err


def test_nothing_of_a_dag_of_another_library_is_open_to_any_of_its_parts(auth_manager, tmp_path, monkeypatch):
    from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails

    use(monkeypatch, write_libraries(tmp_path / "libraries", *LIBRARIES))
    for name in (READER, LIBRARIAN, ADMINISTRATOR):
        user = SimpleNamespace(perms=set(wanted_roles()[role_of(name, "rivage")]))
        for stage in ("first_reminder", "registered_letter", "watch"):
            theirs = DagDetails(id=dag_id(stage, "colline"))
            for part in (None, *DagAccessEntity):
                for method in ("GET", "POST", "PUT", "DELETE"):
                    asked = {"method": method, "access_entity": part, "details": theirs, "user": user}
                    assert not auth_manager.is_authorized_dag(**asked), (name, stage, part, method)


def test_no_role_reads_variables_or_manages_accounts():
    for name, permissions in wanted_roles().items():
        reached = {resource for _, resource in permissions}
        assert reached & {"Variables", "Users", "Roles", "Permissions", "DAGs:all", "Audit Logs"} == set(), name
        assert ("can_read", "DAGs") not in permissions, name
        assert not any(action == "can_delete" and resource != "Connections" for action, resource in permissions), name


class Accounts:
    """FAB's security manager, as far as roles and their permissions are asked of it."""

    def __init__(self):
        self.roles = {}
        self.session = SimpleNamespace(commit=lambda: None)

    def find_role(self, name):
        return self.roles.get(name)

    def add_role(self, name):
        return self.roles.setdefault(name, SimpleNamespace(permissions=[]))

    def create_permission(self, action, resource):
        return SimpleNamespace(action=SimpleNamespace(name=action), resource=SimpleNamespace(name=resource))

    def of(self, role):
        """What a role has."""
        return {(one.action.name, one.resource.name) for one in self.roles[role].permissions}


NOTICE = """
[notices.hold_arrived]
title = "avis de réservation disponible"
hour = "17:00"
channels = [{ channel = "email" }]
"""


@pytest.mark.parametrize("several", [True, False])
def test_a_wrong_file_takes_no_right_on_the_librarys_own_notices_away(tmp_path, monkeypatch, several):
    folder = use(monkeypatch, write_libraries(tmp_path / "libraries", *LIBRARIES))
    file = folder / "rivage.toml"
    text = file.read_text(encoding="utf-8")
    code, role = ("rivage", role_of(LIBRARIAN, "rivage")) if several else (None, LIBRARIAN)
    if not several:
        use(monkeypatch, file)
    own = {(action, f"DAG:{dag_id('hold_arrived', code)}") for action in ("can_read", "can_edit")}
    accounts = Accounts()
    file.write_text(text + NOTICE, encoding="utf-8")
    make_roles(accounts, wanted_roles())
    assert own <= accounts.of(role)
    accounts.roles[role].permissions.append(accounts.create_permission("can_delete", f"DAG:{dag_id('watch', code)}"))

    file.write_text(text.replace('hour = "10:00"', 'hour = "25:00"') + NOTICE, encoding="utf-8")
    forget_settings()
    changed = make_roles(accounts, wanted_roles())
    assert {one.role: len(one.too_much) for one in changed} == {role: 1}, "what no role of ours has is taken away"
    assert own <= accounts.of(role)
    assert list(compare(accounts, wanted_roles())) == []

    file.write_text(text, encoding="utf-8")
    forget_settings()
    make_roles(accounts, wanted_roles())
    assert accounts.of(role) == wanted_roles()[role], "the notice is no more"
