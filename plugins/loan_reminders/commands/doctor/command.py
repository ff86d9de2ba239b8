"""Check a whole installation: `loan-reminders doctor`.

    loan-reminders doctor
    loan-reminders doctor --to moi@univ.example --json

Each check is asked for real, within its time, and whatever became of the others. What is wrong says what it means and
what to do. Nothing is sent but, with `--to`, one message to that address; nothing is left behind. No secret and nothing
of a reader is shown, so that the output can be handed on.

It returns 0 when all is well, 1 when something should be looked at, 2 when something cannot work: what monitoring tools
know as OK, WARNING and CRITICAL.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime
from typing import TextIO

from loan_reminders.commands.doctor.findings import Asked, Check, Checked, Finding, failure, run_check, worst
from loan_reminders.commands.doctor.of_airflow import accounts_check, dags_check, processes_check, secrets_check
from loan_reminders.commands.doctor.of_clocks import clocks_check
from loan_reminders.commands.doctor.of_ledger import ledger_check, start_check
from loan_reminders.commands.doctor.of_outside import (
    allmysms_check,
    callback_check,
    ils_check,
    mailbox_check,
    smtp_check,
    storage_check,
)
from loan_reminders.commands.doctor.of_settings import fonts_check, settings_check, templates_check
from loan_reminders.commands.doctor.report import STATUS, as_json, as_text, conclusion
from loan_reminders.domain.errors import ReminderError
from loan_reminders.settings.library_toml import read_settings, settings_path

CHECKS = (
    Check(name="settings", title="Réglages", seconds=20, run=settings_check),
    Check(name="templates", title="Modèles, avec les pires données", seconds=180, run=templates_check),
    Check(name="fonts", title="Polices", seconds=30, run=fonts_check),
    Check(name="ledger", title="Registre", seconds=30, run=ledger_check),
    Check(name="start", title="Mise en service", seconds=30, run=start_check),
    Check(name="storage", title="Dossier des lettres", seconds=30, run=storage_check),
    Check(name="ils", title="SIGB", seconds=180, run=ils_check),
    Check(name="smtp", title="Serveur de messagerie", seconds=60, run=smtp_check),
    Check(name="mailbox", title="Boîte des retours", seconds=60, run=mailbox_check),
    Check(name="allmysms", title="allmysms", seconds=60, run=allmysms_check),
    Check(name="callback", title="Adresse de rappel des SMS", seconds=30, run=callback_check),
    Check(name="dags", title="DAG", seconds=30, run=dags_check),
    Check(name="processes", title="Processus d'Airflow", seconds=30, run=processes_check),
    Check(name="accounts", title="Comptes d'Airflow", seconds=20, run=accounts_check),
    Check(name="secrets", title="Clés d'Airflow", seconds=20, run=secrets_check),
    Check(name="clocks", title="Horloges et fuseaux", seconds=60, run=clocks_check),
)
"""Every check, in order; its name is for monitoring and for `docs/runbook.md`."""

_HELP = """\
Une vérification après l'autre, chacune pour de vrai et dans un temps limité : réglages, modèles, polices, registre,
dossier des lettres, SIGB, messagerie, boîte des retours, allmysms, adresse de rappel, DAG, processus, comptes et clés
d'Airflow, horloges. Rien n'est envoyé, sauf avec --to un message à cette adresse ; rien n'est laissé.

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
    asked = _parser().parse_args(arguments)
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(errors="replace")  # a terminal without ✓ must not end the check
    # The connections kept in Airflow's own database are read as its servers read them, since no task runs here.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    wanted = [check for check in checks if not asked.only or check.name in asked.only]
    with redirect_stdout(sys.stderr):  # what Airflow has to say is none of the answer
        tell = (lambda _: None) if asked.json else out.write
        code, checked = _all_checked(wanted, to=asked.to, now=now, stopwatch=stopwatch, tell=tell)
    if asked.json:
        out.write(as_json([(code, checked)], at=now()))
    else:
        out.write(conclusion(checked))
    return STATUS[worst(one.outcome for one in checked)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="loan-reminders doctor",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("--help", "-h", action="help", help="afficher cette aide")
    parser.add_argument("--json", action="store_true", help="un objet JSON, pour la supervision")
    parser.add_argument("--to", default="", metavar="ADRESSE", help="y envoyer un message d'essai")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=[check.name for check in CHECKS],
        metavar="NOM",
        help="seulement cette vérification ; peut être répété",
    )
    return parser


def _all_checked(
    wanted: Sequence[Check],
    *,
    to: str,
    now: Callable[[], datetime],
    stopwatch: Callable[[], float],
    tell: Callable[[str], object],
) -> tuple[str, list[Checked]]:
    """Run the checks of the library; when its settings cannot be read there is nothing else to check."""
    try:
        ours = read_settings(settings_path())
    except ReminderError as wrong:
        found = Checked(check=CHECKS[0], findings=[_unreadable(wrong)], seconds=0.0)
        tell(as_text(found))
        return "", [found]
    import airflow.sdk.exceptions  # noqa: F401 - some seconds, which are no check's

    asked = Asked(ours=ours, now=lambda: now().astimezone(ours.zone), to=to)
    checked = []
    for number, check in enumerate(wanted, start=1):
        sys.stderr.write(f"[{number}/{len(wanted)}] {check.title}…\n")
        sys.stderr.flush()
        checked.append(run_check(check, asked, stopwatch=stopwatch))
        tell(as_text(checked[-1]))
    return ours.library.code, checked


def _unreadable(wrong: ReminderError) -> Finding:
    return failure(
        "Réglages illisibles ou faux",
        means="Aucun DAG ne peut être lu : rien ne tourne.",
        remedy="corriger chaque ligne nommée, puis relancer",
        details=str(wrong).splitlines(),
    )
