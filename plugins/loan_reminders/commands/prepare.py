"""Make an installation ready to start: what `docker compose up` runs before all else.

    loan-reminders prepare --verifier    is anything missing, which connections are still to be given; changes nothing
    loan-reminders prepare               the ledger's tables, the roles, the first administrator

`airflow db migrate` belongs between the two. The first administrator is told by REMINDERS_ADMIN_USERNAME,
REMINDERS_ADMIN_EMAIL and a file with the password, REMINDERS_ADMIN_PASSWORD_FILE; where somebody has Airflow's role
*Admin* already, nobody is added and no password is changed. It may run at each start.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from loan_reminders.commands.migrate import upgrade
from loan_reminders.commands.registry import command_parser
from loan_reminders.commands.roles import make_roles, security_manager, wanted_roles
from loan_reminders.domain.errors import PermanentError, ReminderError, SettingsError
from loan_reminders.domain.stages import Channel
from loan_reminders.french.refusals import sentence
from loan_reminders.hooks.for_commands import LEDGER, WHERE, WHERE_BEFORE_THE_START, connection
from loan_reminders.settings.all_libraries import all_settings
from loan_reminders.settings.library_toml import Settings

ADMIN = "REMINDERS_ADMIN_USERNAME", "REMINDERS_ADMIN_EMAIL", "REMINDERS_ADMIN_PASSWORD_FILE"
TO_GIVE = "À donner avant la première tournée (loan-reminders doctor l'essaie) : {}\n"
TO_MEND = "À corriger (les autres bibliothèques ne l'attendent pas) : {}\n"
FICTIONAL = ".example"
"""What an address ends with that can be nobody's (RFC 2606): the library of the demo."""


def problems(environment: Mapping[str, str]) -> Iterator[str]:
    """What keeps this installation from starting, each as a sentence that says what to do.

    One readable file of a folder is enough: another that is wrong keeps only its own library from its work
    (`put_aside`), as it would while all runs. The invented library would work, and write to whoever the ILS knows.
    """
    found = list(all_settings())
    unreadable = [str(ours) for _, ours in found if isinstance(ours, SettingsError)]
    if len(unreadable) == len(found):
        yield from unreadable
    if "demo" not in environment.get("REMINDERS_DEMO", "").split(","):
        yield from (_fictional(file, ours) for file, ours in found if _is_fictional(ours))
    yield from _of_connection(LEDGER, where=WHERE_BEFORE_THE_START)


def put_aside() -> Iterator[str]:
    """What is wrong with single files of a folder, while others can be read and start."""
    found = list(all_settings())
    unreadable = [str(ours) for _, ours in found if isinstance(ours, SettingsError)]
    if len(unreadable) < len(found):
        yield from unreadable


def _is_fictional(ours: Settings | SettingsError) -> bool:
    return isinstance(ours, Settings) and ours.library.email.endswith(FICTIONAL)


def _fictional(file: Path, ours: Settings | SettingsError) -> str:
    """That a library's file is still that of the demo, where the demo was not asked for."""
    name = ours.library.name if isinstance(ours, Settings) else ""
    return (
        f"{file} est encore celui de la bibliothèque fictive ({name}) : y écrire la vôtre,"
        " ou demander la démonstration (COMPOSE_PROFILES=demo dans .env)."
    )


def still_to_give() -> Iterator[str]:
    """The connections to the outside world that are missing or not filled in.

    They keep nothing from starting: Airflow's form, where they may be given and tried, is there only once it runs.
    """
    found = [ours for _, ours in all_settings() if isinstance(ours, Settings)]
    relays = {conn_id for ours in found for conn_id in (ours.email.connection, ours.alerts.connection)}
    for conn_id in dict.fromkeys(one for ours in found for one in _connections(ours)):
        yield from _of_connection(conn_id, where=WHERE, login=conn_id not in relays)


def _connections(settings: Settings) -> tuple[str, ...]:
    """The connections that a library needs, but the ledger's; one may be there twice."""
    sends_sms = any(one.channel is Channel.SMS for rule in settings.policy().all_rules for one in rule.channels)
    found = [settings.ils.connection, settings.email.connection]
    if sends_sms:
        found.append(settings.sms.connection)
    if settings.alerts.recipients:
        found.append(settings.alerts.connection)
    return tuple(found)


def _of_connection(conn_id: str, *, where: str, login: bool = True) -> Iterator[str]:
    try:
        found = connection(conn_id, where=where)
    except PermanentError as error:
        yield str(error)
        return
    empty = [name for name, value in (("host", _host(found)), ("login", found.login)) if not value]
    if not login and "login" in empty:
        empty.remove("login")  # a relay may know its senders by their address
    if empty:
        yield f"Connexion {conn_id} : {' et '.join(empty)} à remplir, {where}."


def _host(found: Any) -> str:
    return str(found.host or found.extra_dejson.get("host") or found.extra_dejson.get("dsn") or "")


def first_administrator(security: Any, environment: Mapping[str, str]) -> str:
    """Add the first administrator unless there is one; says what was done. Raises PermanentError."""
    username, email, file = (environment.get(name, "").strip() for name in ADMIN)
    if not username:
        return "premier administrateur : non demandé"
    role = security.find_role("Admin") or security.add_role("Admin")
    if role.user or any(group.users for group in getattr(role, "groups", [])):
        return "premier administrateur : il y en a déjà un, rien n'est changé"
    try:
        password = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise PermanentError(f"{ADMIN[2]} : le fichier {file or '(non dit)'} ne se lit pas.") from None
    if len(password) < 12 or not email:
        raise PermanentError(f"Premier administrateur : {ADMIN[1]} et un mot de passe de 12 signes sont attendus.")
    if security.find_user(username=username) or security.find_user(email=email):
        raise PermanentError(f"Le compte {username} existe sans être administrateur : lui donner le rôle Admin.")
    security.add_user(username, "", "", email, role, password)
    return f"premier administrateur : {username} est créé"


def prepare(environment: Mapping[str, str]) -> Iterator[str]:
    """Bring the ledger's tables up to date, make the roles and the first administrator; says each step."""
    from loan_reminders.hooks.ledger import url_of

    upgrade(url_of(connection(LEDGER)))
    yield "registre : tables à jour"
    with security_manager() as security:
        changed = make_roles(security, wanted_roles())
        yield f"rôles : {len(changed)} créés ou remis d'aplomb"
        yield first_administrator(security, environment)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0, or 1 after saying on the error output what is wrong."""
    parser = command_parser("prepare")
    parser.add_argument("--verifier", action="store_true", help="dire ce qui manque, sans rien changer")
    given = parser.parse_args(arguments)
    try:
        wrong = list(problems(os.environ))
        if given.verifier:
            sys.stdout.writelines(TO_MEND.format(one) for one in put_aside())
            sys.stdout.writelines(TO_GIVE.format(one) for one in still_to_give())
        elif not wrong:
            for step in prepare(os.environ):
                sys.stdout.write(f"{step}\n")
    except ReminderError as error:
        wrong = [sentence(error)]
    sys.stderr.writelines(f"{one}\n" for one in wrong)
    return 1 if wrong else 0
