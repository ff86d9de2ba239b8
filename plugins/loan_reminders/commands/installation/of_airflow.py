"""Airflow itself: our DAGs, its processes, who may log in, and the secrets it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

from loan_reminders.commands.installation.findings import Asked, Finding, failure, fine, warning
from loan_reminders.domain.dag_ids import name_of
from loan_reminders.french.task_names import DAGS, dag_title
from loan_reminders.settings.library_toml import our_dag_id, settings

SILENT_AFTER = timedelta(minutes=3)
SHORTEST_SECRET = 16
WEAK = frozenset(
    {"airflow", "changeme", "change_me", "secret", "password", "temporary_key", "admin", "default", "test"}
)
PROCESSES = {
    "SchedulerJob": ("L'ordonnanceur", "aucune tournée ne commence"),
    "DagProcessorJob": (
        "Le lecteur des DAG",
        "les réglages changés ne sont pas lus, et aucune alerte de tournée ne part",
    ),
    "TriggererJob": (
        "Le déclencheur (triggerer)",
        "les SMS qui attendent leur plage d'envoi ne repartent pas, et aucune alerte de tournée en retard ne part",
    ),
}
SECRETS = {
    ("core", "fernet_key"): "Les mots de passe des connexions sont en clair dans la base d'Airflow.",
    (
        "api",
        "secret_key",
    ): "Chaque processus a le sien : les sessions et les journaux ne passent pas de l'un à l'autre.",
    ("api_auth", "jwt_secret"): "Les tâches ne peuvent pas parler au serveur web dès qu'il y a plusieurs machines.",
}


def _session() -> Any:
    from airflow.utils.session import create_session

    return create_session()


def _by_airflows_database(check: Callable[[Asked], Iterator[Finding]]) -> Callable[[Asked], Iterator[Finding]]:
    @wraps(check)
    def guarded(asked: Asked) -> Iterator[Finding]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield from check(asked)
        except SQLAlchemyError as error:  # its words may hold the password
            yield failure(
                f"La base d'Airflow ne répond pas, ou n'a pas ses tables ({type(error).__name__})",
                means="Aucune tournée ne commence, et personne ne peut ouvrir Airflow.",
                remedy="vérifier AIRFLOW__DATABASE__SQL_ALCHEMY_CONN et ce serveur, puis « airflow db migrate »",
            )

    return guarded


@_by_airflows_database
def dags_check(asked: Asked) -> Iterator[Finding]:
    """Each of our DAGs is known to Airflow, could be read, and is on or off."""
    from airflow.models.dag import DagModel
    from airflow.models.errors import ParseImportError
    from sqlalchemy import func, select

    wanted = wanted_dags()
    with _session() as session:
        query = select(DagModel.dag_id, DagModel.is_paused, DagModel.is_stale).where(DagModel.dag_id.in_(wanted))
        known = {row.dag_id: row for row in session.execute(query)}
        broken = session.execute(select(func.count()).select_from(ParseImportError)).scalar_one()
    missing = [dag_id for dag_id in wanted if dag_id not in known or known[dag_id].is_stale]
    if broken:
        yield failure(
            f"Des fichiers de DAG ne peuvent pas être lus : {broken}",
            means="Les étapes de ces fichiers ne tournent pas.",
            remedy="lire les erreurs d'import sur la page d'accueil d'Airflow : elles disent quoi corriger",
        )
    if missing:
        yield failure(
            f"Des DAG manquent dans Airflow : {', '.join(missing)}",
            means="Ces étapes ne tournent pas.",
            remedy="donner à [core] dags_folder le dossier des DAG, et démarrer le lecteur des DAG",
        )
    paused = [dag_id for dag_id in wanted if dag_id not in missing and known[dag_id].is_paused]
    if paused:
        yield warning(
            f"En pause : {', '.join(dag_title(name_of(dag_id)) for dag_id in paused)}",
            means="Aucune tournée de ces étapes n'a lieu, et personne n'en est prévenu par elles.",
            remedy="c'est voulu avant la mise en service ; sinon les remettre en marche (docs/mise_en_service.md)",
        )
    if not (missing or paused or broken):
        yield fine(f"Les {len(wanted)} DAG sont dans Airflow et en marche")


def wanted_dags() -> tuple[str, ...]:
    """The ids of the current library's DAGs."""
    return tuple(our_dag_id(name) for name in (*DAGS, *settings().notices))


@_by_airflows_database
def processes_check(asked: Asked) -> Iterator[Finding]:
    """Each of Airflow's processes gave a sign of life a moment ago."""
    from airflow.jobs.job import Job
    from sqlalchemy import func, select

    with _session() as session:
        query = select(Job.job_type, func.max(Job.latest_heartbeat)).group_by(Job.job_type)
        newest: dict[str, datetime] = dict(session.execute(query.where(Job.state == "running")).all())
    silent = False
    for kind, (name, means) in PROCESSES.items():
        beat = newest.get(kind)
        if beat is None or asked.now().astimezone(UTC) - beat > SILENT_AFTER:
            silent = True
            yield failure(
                f"{name} d'Airflow ne donne pas signe de vie",
                means=f"Tant que cela dure, {means}.",
                remedy="le démarrer, et voir pourquoi il s'est arrêté (mémoire, base d'Airflow, disque)",
            )
    if not silent:
        yield fine("Ordonnanceur, lecteur des DAG et déclencheur sont à l'œuvre")


def accounts_check(asked: Asked) -> Iterator[Finding]:
    """Who says who somebody is: Airflow's default is made for development alone."""
    from airflow.configuration import conf

    manager = str(conf.get("core", "auth_manager"))
    if manager.endswith(".FabAuthManager"):
        yield warning(
            "Les comptes sont ceux de FAB seul, qui ne compte les essais de mot de passe qu'à son formulaire",
            means="Qui devine un mot de passe le fait sans frein à l'adresse /auth/token.",
            remedy="[core] auth_manager = deploy.accounts.login.AccountsAuthManager (docs/rights.md dit où le prendre :"
            " il est dans les sources, et non dans le paquet)",
        )
    elif not manager.endswith("SimpleAuthManager"):
        yield fine(f"Comptes : {manager.rpartition('.')[2]}")
    elif conf.getboolean("core", "simple_auth_manager_all_admins", fallback=False):
        yield failure(
            "Airflow n'a pas de comptes : chacun est administrateur (simple_auth_manager_all_admins)",
            means="Quiconque joint ce serveur lit les lecteurs et envoie en leur nom.",
            remedy="l'enlever, et installer un vrai gestionnaire de comptes (docs/rights.md)",
        )
    else:
        yield warning(
            "Les comptes sont ceux du SimpleAuthManager, fait pour le développement",
            means="Mots de passe en clair dans un fichier, aucun droit par bibliothèque.",
            remedy="installer FAB ou Keycloak avant que des lecteurs en dépendent (docs/rights.md)",
        )


def secrets_check(asked: Asked) -> Iterator[Finding]:
    """The keys that Airflow needs are given, and are not words anybody would try; none is shown."""
    from airflow.configuration import conf

    told = conf.as_dict(display_source=True, display_sensitive=True, raw=True)
    sound = True
    for (section, name), means in SECRETS.items():
        if name == "jwt_secret" and conf.get("api_auth", "jwt_private_key_path", fallback=""):
            continue  # the other way to sign the tokens
        value, source = _value(told, section, name)
        variable = f"AIRFLOW__{section.upper()}__{name.upper()}"
        if source == "default" or not value:
            sound = False
            yield failure(
                f"[{section}] {name} n'est pas donné",
                means=means,
                remedy=f"lui donner une valeur au hasard ({variable})",
            )
        elif len(value) < SHORTEST_SECRET or value.lower() in WEAK:
            sound = False
            yield failure(
                f"[{section}] {name} peut être deviné",
                means="Qui le devine peut se faire passer pour n'importe qui, ou lire les mots de passe.",
                remedy=f"lui donner 32 caractères au hasard ({variable}) ; pour fernet_key, avec « airflow"
                " rotate-fernet-key »",
            )
    if sound:
        yield fine("Clés d'Airflow : données, et longues")


def _value(told: Any, section: str, name: str) -> tuple[str, str]:
    """What a setting is, and from where; commands and secrets backends are not run."""
    from airflow.configuration import conf

    found = told.get(section, {}).get(name)
    value, source = found if isinstance(found, tuple) else (found, "")
    return str(conf.get(section, name, fallback="") or value or ""), str(source or "")
