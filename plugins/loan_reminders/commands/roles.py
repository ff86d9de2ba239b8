"""Make the roles of the people who use Relances, for accounts kept by Airflow's FAB auth manager.

    loan-reminders roles
    loan-reminders roles --verifier

*Relances lecteur* sees figures, *Relances bibliothécaire* does a librarian's work, *Relances administrateur* sets the
installation up. Of several libraries, each has the same three besides (`Relances lecteur — montclar`), which reach its
own DAGs and nothing of the others; connections belong to all, and so to the administrator of all. Each role gets just
what `docs/rights.md` tells, however it was changed before; run it again after an upgrade or with a new library. Who has
which role is decided in Airflow (*Security*, *List Users*) or by the groups of a single sign-on.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from loan_reminders.commands.registry import command_parser
from loan_reminders.domain.dag_ids import dag_id, library_of
from loan_reminders.domain.errors import PermanentError, ReminderError, SettingsError
from loan_reminders.domain.stages import Stage
from loan_reminders.french.refusals import sentence
from loan_reminders.french.task_names import DAGS
from loan_reminders.settings.libraries import EMPTY, codes, of_library, settings_path, several
from loan_reminders.settings.library_toml import settings

READER, LIBRARIAN, ADMINISTRATOR = "Relances lecteur", "Relances bibliothécaire", "Relances administrateur"
"""The roles' names in Airflow."""

Permission = tuple[str, str]
"""FAB's pair of an action and a resource, such as `can_read` on `DAG:registered_letter`."""

_READS = "can_read"
_OF_A_READER = frozenset(
    {
        (_READS, "Website"),
        (_READS, "Plugins"),  # without it Airflow's menu has no « Relances »
        (_READS, "DAG Runs"),
        (_READS, "Task Instances"),
        (_READS, "My Profile"),
        ("can_edit", "My Profile"),
        (_READS, "My Password"),
        ("can_edit", "My Password"),
        ("menu_access", "DAGs"),
        ("menu_access", "DAG Runs"),
        ("menu_access", "Task Instances"),
    }
)
_OF_A_LIBRARIAN = _OF_A_READER | {
    (_READS, "Task Logs"),
    (_READS, "XComs"),
    (_READS, "DAG Versions"),
    (_READS, "DAG Warnings"),
    (_READS, "HITL Detail"),
    ("can_edit", "HITL Detail"),
    ("menu_access", "HITL Detail"),
    ("can_create", "DAG Runs"),
    ("can_edit", "DAG Runs"),
    ("can_create", "Task Instances"),
    ("can_edit", "Task Instances"),
}
_OF_ONE_ADMINISTRATOR = _OF_A_LIBRARIAN | {
    (_READS, "DAG Code"),
}
_OF_AN_ADMINISTRATOR = _OF_ONE_ADMINISTRATOR | {
    (_READS, "ImportError"),  # Airflow shows whoever may see any what is wrong in every library's file
    (_READS, "Jobs"),
    (_READS, "Cluster Activity"),
    (_READS, "Providers"),
    (_READS, "Configurations"),
    (_READS, "Pools"),
    ("menu_access", "Pools"),
    ("menu_access", "Providers"),
    ("menu_access", "Plugins"),
    (_READS, "Connections"),
    ("can_create", "Connections"),
    ("can_edit", "Connections"),
    ("can_delete", "Connections"),
    ("menu_access", "Connections"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a role lacks, and what it has too much."""

    role: str
    is_new: bool
    lacks: frozenset[Permission]
    too_much: frozenset[Permission]


def wanted_roles() -> dict[str, frozenset[Permission]]:
    """Each role of this installation, and all that it may do. Raises SettingsError for a folder without a library."""
    libraries = codes()
    if several() and not libraries:
        raise SettingsError(f"{settings_path()} : {EMPTY}")
    every = [dag_id(name, code) for code in libraries or (None,) for name in _names(code)]
    found = {
        READER: _OF_A_READER | _on_dags(every, _READS),
        LIBRARIAN: _OF_A_LIBRARIAN | _on_dags(every, _READS, "can_edit"),
        ADMINISTRATOR: _OF_AN_ADMINISTRATOR | _on_dags(every, _READS, "can_edit"),
    }
    for code in libraries:
        own = [dag_id(name, code) for name in _names(code)]
        found |= {
            role_of(READER, code): _OF_A_READER | _on_dags(own, _READS),
            role_of(LIBRARIAN, code): _OF_A_LIBRARIAN | _on_dags(own, _READS, "can_edit"),
            role_of(ADMINISTRATOR, code): _OF_ONE_ADMINISTRATOR | _on_dags(own, _READS, "can_edit"),
        }
    return found


def _names(library: str | None) -> tuple[str, ...]:
    """The names of a library's DAGs, its notices besides the stages among them as far as its settings can be read."""
    return (*DAGS, *(_notices(library) or ()))


def _notices(library: str | None) -> tuple[str, ...] | None:
    """The names of a library's notices besides the stages; None when its settings cannot be read."""
    with of_library(library), suppress(SettingsError):
        return tuple(settings().notices)
    return None


def role_of(role: str, library: str) -> str:
    """The name of a role within one of several libraries."""
    return f"{role} — {library}"


def _on_dags(dag_ids: Iterable[str], *actions: str) -> frozenset[Permission]:
    return frozenset((action, f"DAG:{dag_id}") for dag_id in dag_ids for action in actions)


def compare(security: Any, wanted: Mapping[str, frozenset[Permission]]) -> Iterator[Difference]:
    """How the roles of FAB's security manager differ from those that are wanted.

    While a library's file is wrong nobody knows the names of its notices: what a role has on its DAGs is not too much.
    """
    unread = {code for code in codes() or (None,) if _notices(code) is None}
    for name, permissions in wanted.items():
        role = security.find_role(name)
        has = (
            frozenset() if role is None else frozenset((one.action.name, one.resource.name) for one in role.permissions)
        )
        too_much = frozenset(pair for pair in has - permissions if not _may_be_of_a_notice(pair, permissions, unread))
        if role is None or permissions - has or too_much:
            yield Difference(role=name, is_new=role is None, lacks=permissions - has, too_much=too_much)


def _may_be_of_a_notice(pair: Permission, wanted: frozenset[Permission], unread: Collection[str | None]) -> bool:
    """Whether a permission is one that its role has on every DAG of a library whose file cannot be read."""
    action, resource = pair
    kind, _, dag = resource.partition(":")
    library = library_of(dag)
    return kind == "DAG" and library in unread and (action, f"DAG:{dag_id(Stage.REGISTERED_LETTER, library)}") in wanted


def make_roles(security: Any, wanted: Mapping[str, frozenset[Permission]]) -> tuple[Difference, ...]:
    """Make the roles, or put them right, by FAB's security manager; returns what was changed."""
    found = tuple(compare(security, wanted))
    made = {pair: security.create_permission(*pair) for one in found for pair in sorted(one.lacks)}
    for one in found:
        role = security.add_role(one.role)
        kept = [pair for pair in role.permissions if (pair.action.name, pair.resource.name) not in one.too_much]
        role.permissions = [*kept, *(made[pair] for pair in sorted(one.lacks))]
    security.session.commit()
    return found


@contextmanager
def security_manager() -> Iterator[Any]:
    """FAB's security manager on Airflow's database. Raises PermanentError without FAB or its tables."""
    from airflow.configuration import conf

    try:
        from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
        from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager
    except ImportError:
        raise PermanentError(
            "Ces rôles sont ceux de FAB, qui n'est pas installé : installer requirements-server.txt."
        ) from None
    if not issubclass(conf.getimport("core", "auth_manager"), FabAuthManager):
        raise PermanentError(
            "Ces rôles seraient sans effet : [core] auth_manager n'est pas FAB."
            " docs/rights.md dit ce qui en tient lieu."
        )
    from sqlalchemy.exc import SQLAlchemyError

    logging.getLogger("airflow.providers.fab").setLevel(logging.WARNING)
    try:
        with get_application_builder() as builder:
            yield builder.sm
    except SQLAlchemyError as error:
        raise PermanentError(
            f"La base d'Airflow ne prend pas les rôles ({type(error).__name__}) : lancer d'abord airflow db migrate."
        ) from None


def _told(one: Difference, *, done: bool) -> str:
    if one.is_new:
        return f"{one.role} : {'créé' if done else 'manque'}, {len(one.lacks)} permissions"
    parts = [f"+ {action} {resource}" for action, resource in sorted(one.lacks)]
    parts += [f"- {action} {resource}" for action, resource in sorted(one.too_much)]
    return f"{one.role} : {'remis d’aplomb' if done else 'diffère'} ({', '.join(parts)})"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0, or 1 when something is wrong, or differs with `--verifier`."""
    parser = command_parser("roles")
    parser.add_argument("--verifier", action="store_true", help="dire ce qui diffère, sans rien changer")
    given = parser.parse_args(arguments)
    try:
        wanted = wanted_roles()
        with security_manager() as security:
            found = tuple(compare(security, wanted)) if given.verifier else make_roles(security, wanted)
    except ReminderError as error:
        sys.stderr.write(f"{sentence(error)}\n")
        return 1
    for one in found:
        sys.stdout.write(f"{_told(one, done=not given.verifier)}\n")
    sys.stdout.write(f"{len(wanted) - len(found)} rôles sur {len(wanted)} étaient déjà comme il faut\n")
    return 1 if given.verifier and found else 0
