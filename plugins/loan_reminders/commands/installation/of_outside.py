"""The ILS, the SMS provider, what calls back, and the place of the letters: each asked for real."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from loan_reminders.commands.installation.findings import Asked, Finding, failure, fine, warning
from loan_reminders.commands.installation.of_ledger import inspected
from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.stages import Channel
from loan_reminders.french.plurals import many
from loan_reminders.services.runs.check_ils import CheckedDay, IlsCheck, Outcome
from loan_reminders.services.runs.check_notices import notice_lines
from loan_reminders.settings.libraries import several

_PATIENCE_S = 20.0
_GONE_BACK = (
    "remis à hier ramènerait aussi la marque de ce qui est parti : seul Airflow saurait encore que des messages"
    " manquent au registre."
)
_PUBLIC = (
    "donner à AIRFLOW__API__BASE_URL (AIRFLOW_BASE_URL dans .env avec Docker Compose) l'adresse publique d'Airflow ;"
    " pour une démonstration, rien"
)
SIGNS_OF_A_CONTAINER = Path("/.dockerenv"), Path("/run/.containerenv")
"""Files that Docker and Podman put into each container."""

_NO_SMS = "Aucun SMS ne partira : la tâche « Envoyer les SMS » sera rouge."


def ils_check(asked: Asked) -> Iterator[Finding]:
    """The way to the loans, as `check-ils` goes it; its examples of loans are not told here."""
    from loan_reminders.hooks.ils import checked_notices, ils_inspection, loan_source

    ours, today = asked.ours, asked.now().date()
    day = CheckedDay(due_date=today - timedelta(days=1), today=today)
    codes = ours.codes()
    columns = codes.consent.columns
    check = IlsCheck(
        lambda: ils_inspection(ours.ils, zone=ours.zone, asked=columns),
        loan_source(ours.ils, codes=codes, for_pages=True),
        day=day,
        stopwatch=time.monotonic,
        asked=columns,
        then=lambda: notice_lines(checked_notices(ours, today=today), day=day, stopwatch=time.monotonic),
    )
    for line in check.lines():
        if line.outcome is Outcome.FINE:
            if not line.details:
                yield fine(line.words)
            continue
        means = "Les prêts ne peuvent pas être lus : les étapes s'arrêteront à « Extraire les prêts »."
        if line.outcome is Outcome.WARNING:
            means = "Les prêts sont lus ; ce point mérite un regard (loan-reminders check-ils en dit plus)."
        yield Finding(outcome=line.outcome, words=line.words, means=means, remedy=line.remedy)


def allmysms_check(asked: Asked) -> Iterator[Finding]:
    """What is left on the account; nothing is sent."""
    from loan_reminders.hooks.allmysms import sms_account

    ours = asked.ours
    if not any(entry.channel is Channel.SMS for rule in ours.policy().all_rules for entry in rule.channels):
        yield fine("Aucune étape n'envoie de SMS")
        return
    with closing(sms_account(ours.sms.connection, api=ours.sms.api)) as account:
        left = account.credit().segments
    floor = ours.sms.budget.floor
    if left <= floor:
        yield failure(
            f"Crédit SMS épuisé : {many(left, 'segment', 'segments')}, pour un plancher de {floor}",
            means=_NO_SMS,
            remedy="racheter des SMS chez allmysms, ou baisser [sms.budget] floor",
        )
    elif left < ours.sms.budget.reserve:
        yield warning(
            f"Crédit SMS bas : {many(left, 'segment', 'segments')}, sous la réserve de {ours.sms.budget.reserve}",
            means="Les SMS partent encore, pour peu de temps.",
            remedy="racheter des SMS chez allmysms",
        )
    else:
        yield fine(f"allmysms répond, clé acceptée : {many(left, 'segment', 'segments')} sur le compte")


def callback_check(asked: Asked) -> Iterator[Finding]:
    """The address that the SMS provider calls answers from where the settings say it is; its secret is not told."""
    import requests
    from airflow.configuration import conf

    from loan_reminders.hooks.sms_callback import TOKEN, TOKEN_FILE, callback_networks, callback_token

    token, base = callback_token(), str(conf.get("api", "base_url", fallback="") or "").rstrip("/")
    if token is None:
        given = next((name for name in (TOKEN, TOKEN_FILE) if os.environ.get(name, "").strip()), "")
        if given:
            yield failure(
                f"{given} : le jeton est trop court",
                means="L'adresse de rappel n'existe pas : les réponses STOP n'arrivent que d'heure en heure.",
                remedy="lui donner 24 caractères au hasard ou plus, puis redémarrer le serveur web",
            )
        else:
            yield fine("Pas d'adresse de rappel : accusés et STOP sont lus chaque heure (facultatif)")
        return
    if not base:
        yield warning(
            "L'adresse du serveur web est inconnue ([api] base_url est vide)",
            means="L'adresse de rappel ne peut pas être essayée.",
            remedy="donner à AIRFLOW__API__BASE_URL l'adresse publique d'Airflow",
        )
        return
    try:
        below = f"/{asked.ours.library.code}" if several() else ""
        answer = requests.get(f"{base}/relances{below}/rappels-sms/{token}", timeout=_PATIENCE_S, allow_redirects=False)
        status = answer.status_code
    except requests.RequestException as error:  # its words hold the address, and so the secret
        if isinstance(error, requests.ConnectionError) and _is_this_machine(base):
            yield warning(
                f"L'adresse de rappel ne peut pas être essayée : {base} est cette machine même, et rien n'y répond",
                means="Dans un conteneur, c'est le conteneur, et non le serveur web. Le prestataire ne peut pas joindre"
                " une telle adresse non plus : accusés et STOP sont lus chaque heure seulement.",
                remedy=f"{_PUBLIC}. Sans conteneur, démarrer le serveur web",
            )
            return
        yield failure(
            f"L'adresse de rappel ne répond pas à {base} ({type(error).__name__})",
            means="Le prestataire ne peut pas y pousser les STOP ; ils sont lus chaque heure seulement.",
            remedy="démarrer le serveur web d'Airflow, vérifier base_url et le proxy qui le précède",
        )
        return
    if status == 200 and _is_this_machine(base):
        yield warning(
            f"L'adresse de rappel répond à {base}, qui n'est que cette machine même",
            means="Le prestataire ne peut pas joindre une telle adresse : accusés et STOP sont lus chaque heure"
            " seulement.",
            remedy=_PUBLIC,
        )
    elif status == 200:
        yield fine(f"L'adresse de rappel répond à {base}")
    elif callback_networks():
        yield warning(
            f"L'adresse de rappel répond {status} à cette machine",
            means="Seuls les réseaux de REMINDERS_SMS_CALLBACK_NETWORKS sont admis : celle-ci n'en est peut-être pas.",
            remedy="essayer depuis un de ces réseaux",
        )
    else:
        yield failure(
            f"L'adresse de rappel répond {status}",
            means="Le prestataire ne peut pas y pousser les STOP ; ils sont lus chaque heure seulement.",
            remedy="donner au serveur web le même REMINDERS_SMS_CALLBACK_TOKEN qu'ici, et laisser passer"
            " /relances/rappels-sms/ par le proxy",
        )


def _is_this_machine(base: str) -> bool:
    """Whether an address means whatever machine it is used on."""
    host = urlsplit(base).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost" or host.endswith(".localhost")


def storage_check(asked: Asked) -> Iterator[Finding]:
    """Write a small file where letters go, read it again, remove it."""
    from loan_reminders.hooks.letter_store import letter_store

    store, name, content = letter_store(), f"verification-{secrets.token_hex(6)}", b"essai"
    try:
        (location,) = store.store(name, [("essai.txt", content)])
        read = b"".join(store.read(location))
    finally:
        store.remove(name)
    if read != content:
        yield failure(
            "Le dossier des lettres ne rend pas ce qui y est écrit",
            means="Des lettres seraient perdues ou fausses.",
            remedy="vérifier REMINDERS_STORAGE et ce disque ou ce serveur",
        )
    else:
        kind = "adresse" if "://" in os.environ.get("REMINDERS_STORAGE", "") else "dossier"
        yield fine(f"Lettres : {kind} où l'on peut écrire, lire et effacer")
        yield from _beside_the_ledger(asked)


def _beside_the_ledger(asked: Asked) -> Iterator[Finding]:
    """Whether the high-water mark, which is kept with the letters, would go back in time together with the ledger."""
    from airflow.sdk.exceptions import AirflowNotFoundException

    from loan_reminders.hooks.letter_store import storage

    folder = storage()
    if not isinstance(folder, Path):
        return
    try:
        with inspected(asked) as ledger:
            place = ledger.place()
        together = place.is_here and os.stat(folder).st_dev == os.stat(place.folder or "/").st_dev
    except (ReminderError, AirflowNotFoundException, OSError):  # whether the ledger answers is another check's
        return
    if together:
        yield warning(
            "Les lettres sont sur le même disque que le registre",
            means=f"Ce disque {_GONE_BACK}",
            remedy="donner à REMINDERS_STORAGE un autre disque ou un autre serveur (docs/backup.md)",
        )
    elif not place.is_here and in_a_container():
        yield warning(
            "D'un conteneur, on ne voit pas si les lettres sont sur le même disque que le registre",
            means=f"Avec Docker Compose elles le sont, si rien d'autre n'a été demandé. Ce disque {_GONE_BACK}",
            remedy="leur donner un autre disque ou un autre serveur (docs/deployment.md, « Two disks ») ;"
            " si c'est fait, rien",
        )


def in_a_container() -> bool:
    """Whether this program is in a container: there the addresses of two services do not tell two machines apart."""
    return "KUBERNETES_SERVICE_HOST" in os.environ or any(sign.exists() for sign in SIGNS_OF_A_CONTAINER)
