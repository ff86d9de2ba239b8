"""Check a whole installation: `loan-reminders doctor`.

    loan-reminders doctor
    loan-reminders doctor --to moi@univ.example --json

Each check is asked for real, within its time, and whatever became of the others. What is wrong says what it means and
what to do. Nothing is sent but, with `--to`, one message to that address by each mail server; nothing is left behind.
No secret and nothing of a reader is shown, so that the output can be handed on.

It returns 0 when all is well, 1 when something should be looked at, 2 when something cannot work: what monitoring tools
know as OK, WARNING and CRITICAL.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from loan_reminders.commands.french_arguments import email
from loan_reminders.commands.installation.findings import Asked, Check, Checked, Finding, failure, run_check, worst
from loan_reminders.commands.installation.of_airflow import accounts_check, dags_check, processes_check, secrets_check
from loan_reminders.commands.installation.of_clocks import clocks_check
from loan_reminders.commands.installation.of_ledger import ledger_check, start_check
from loan_reminders.commands.installation.of_mail import alerts_check, mailbox_check, smtp_check
from loan_reminders.commands.installation.of_outside import allmysms_check, callback_check, ils_check, storage_check
from loan_reminders.commands.installation.of_settings import (
    fonts_check,
    retention_check,
    settings_check,
    templates_check,
)
from loan_reminders.commands.installation.report import STATUS, as_json, as_text, conclusion
from loan_reminders.commands.registry import command_parser
from loan_reminders.domain.errors import SettingsError
from loan_reminders.settings.all_libraries import all_settings
from loan_reminders.settings.libraries import codes, of_library, settings_path, several
from loan_reminders.settings.library_toml import Settings

CHECKS = (
    Check(name="settings", title="Réglages", seconds=20, run=settings_check),
    Check(name="retention", title="Effacement", seconds=20, run=retention_check),
    Check(name="templates", title="Modèles, avec les pires données", seconds=180, run=templates_check),
    Check(name="fonts", title="Polices", seconds=30, run=fonts_check, common=True),
    Check(name="ledger", title="Registre", seconds=30, run=ledger_check),
    Check(name="start", title="Mise en service", seconds=30, run=start_check),
    Check(name="storage", title="Dossier des lettres", seconds=30, run=storage_check, common=True),
    Check(name="ils", title="SIGB", seconds=180, run=ils_check),
    Check(name="smtp", title="Serveur de messagerie", seconds=60, run=smtp_check),
    Check(name="alerts", title="Alertes par e-mail", seconds=60, run=alerts_check),
    Check(name="mailbox", title="Boîte des retours", seconds=60, run=mailbox_check),
    Check(name="allmysms", title="allmysms", seconds=60, run=allmysms_check),
    Check(name="callback", title="Adresse de rappel des SMS", seconds=30, run=callback_check),
    Check(name="dags", title="DAG", seconds=30, run=dags_check),
    Check(name="processes", title="Processus d'Airflow", seconds=30, run=processes_check, common=True),
    Check(name="accounts", title="Comptes d'Airflow", seconds=20, run=accounts_check, common=True),
    Check(name="secrets", title="Clés d'Airflow", seconds=20, run=secrets_check, common=True),
    Check(name="clocks", title="Horloges et fuseaux", seconds=60, run=clocks_check),
)
"""Every check, in order; its name is for monitoring and for `docs/runbook.md`."""

_HELP = """\
Une vérification après l'autre, chacune pour de vrai et dans un temps limité : réglages, effacement, modèles, polices,
registre, dossier des lettres, SIGB, messagerie, alertes, boîte des retours, allmysms, adresse de rappel, DAG,
processus, comptes et clés d'Airflow, horloges. Rien n'est envoyé, sauf avec --to un message à cette adresse par le
serveur des e-mails, et un par celui des alertes s'il est autre ; rien n'est laissé.

Code de retour : 0 tout va bien ; 1 quelque chose est à regarder (lignes « ! ») ; 2 quelque chose ne peut pas marcher
(lignes « ✗ »). Aucun secret et aucune donnée de lecteur n'est affiché."""


def main(
    arguments: Sequence[str] | None = None,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    stopwatch: Callable[[], float] = time.monotonic,
    out: TextIO | None = None,
    checks: Sequence[Check] = CHECKS,
) -> int:
    """Check, say each result as it comes, and return the worst as 0, 1 or 2."""
    out = out or sys.stdout
    asked = _asked(arguments)
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(errors="replace")  # a terminal without ✓ must not end the check
    wanted = [check for check in checks if not asked.only or check.name in asked.only]
    told: list[tuple[str, list[Checked]]] = []
    common_done = False  # with the first library whose settings can be read
    with redirect_stdout(sys.stderr):  # what Airflow has to say is none of the answer
        for file, ours in _libraries(asked.bibliotheque):
            tell = (lambda _: None) if asked.json else out.write
            if several():
                tell(f"== {file.stem}\n")
            mine = [check for check in wanted if not (check.common and common_done)]
            common_done = common_done or isinstance(ours, Settings)
            told.append(_checked(ours, file.stem, mine, to=asked.to or "", now=now, stopwatch=stopwatch, tell=tell))
    found = [one for _, checked in told for one in checked]
    out.write(as_json(told, at=now()) if asked.json else conclusion(found))
    return STATUS[worst(one.outcome for one in found)]


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser("doctor", more=_HELP)
    parser.add_argument("--json", action="store_true", help="un objet JSON, pour la supervision")
    parser.add_argument("--to", type=email, metavar="ADRESSE", help="y envoyer un message d'essai")
    parser.add_argument(
        "--bibliotheque",
        default="",
        metavar="CODE",
        help="seulement cette bibliothèque, s'il y en a plusieurs",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=[check.name for check in CHECKS],
        metavar="NOM",
        help="seulement cette vérification ; peut être répété",
    )
    asked: argparse.Namespace = parser.parse_args(arguments)
    return asked


def _libraries(code: str) -> Sequence[tuple[Path, Settings | SettingsError]]:
    """The libraries that are asked for, each with its settings or with what is wrong with them."""
    every = list(all_settings())
    if not code:
        return every
    found = [(file, ours) for file, ours in every if code in (file.stem, _code(ours))]
    unknown = SettingsError(f"{settings_path()} : pas de bibliothèque « {code} »")
    return found or [(settings_path(), unknown)]


def _code(ours: Settings | SettingsError) -> str:
    return ours.library.code if isinstance(ours, Settings) else ""


def _checked(
    ours: Settings | SettingsError,
    name: str,
    wanted: Sequence[Check],
    *,
    to: str,
    now: Callable[[], datetime],
    stopwatch: Callable[[], float],
    tell: Callable[[str], object],
) -> tuple[str, list[Checked]]:
    """Run the checks of one library; when its settings cannot be read there is nothing else of it to check."""
    if isinstance(ours, SettingsError):
        found = Checked(check=CHECKS[0], findings=[_unreadable(ours)], seconds=0.0)
        tell(as_text(found))
        return name, [found]
    import airflow.sdk.exceptions  # noqa: F401 - some seconds, which are no check's

    asked = Asked(ours=ours, now=lambda: now().astimezone(ours.zone), to=to)
    checked = []
    with of_library(ours.library.code if several() else None):
        for number, check in enumerate(wanted, start=1):
            sys.stderr.write(f"[{number}/{len(wanted)}] {check.title}…\n")
            sys.stderr.flush()
            checked.append(run_check(check, asked, stopwatch=stopwatch))
            tell(as_text(checked[-1]))
    return ours.library.code, checked


def _unreadable(wrong: SettingsError) -> Finding:
    return failure(
        "Réglages illisibles ou faux",
        means="Aucune étape de cette bibliothèque ne tourne ; celles des autres ne s'en ressentent pas."
        if len(codes()) > 1
        else "Aucun DAG ne peut être lu : rien ne tourne, pas même la surveillance, et personne n'en est prévenu.",
        remedy="corriger chaque ligne nommée, puis relancer",
        details=str(wrong).splitlines(),
    )
