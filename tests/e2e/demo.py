"""`make demo` and `make up`: the main job on a whole installation, and what it did."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from datetime import date, datetime
from pathlib import Path
from typing import Any

from loan_reminders.domain.stages import Stage
from loan_reminders.settings.library_toml import settings
from sql.demo.systems.library_site import KINDS
from tests.e2e.installation import ROOT, Installation
from tests.e2e.summary import stage_summary, table

FOLDER = ROOT / "var"
KEPT_BETWEEN_DEMOS = {"bench.json", "faults.json", "previews", "screens"}
LIVED = "lived-until"
"""The file that says up to which day the library of `make up` has lived."""


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--stay", action="store_true", help="leave Airflow running until Ctrl-C")
    arguments.add_argument("--today", type=date.fromisoformat, help="the day to run for (default: today)")
    arguments.add_argument("--ils", choices=KINDS, default=KINDS[0], help="the library system with the loans")
    options = arguments.parse_args()
    if options.stay and options.ils != KINDS[0]:
        arguments.error("--stay shows a library that has lived for months: only Aleph's tables have its past")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    today = options.today or datetime.now(settings().zone).date()
    if not options.stay or last_day(FOLDER) != today:
        clear(FOLDER)
    on = (
        ""
        if options.ils == KINDS[0]
        else f" sur {options.ils.upper() if options.ils == 'pmb' else options.ils.title()}"
    )
    say(f"Bibliothèque fictive{on} au {today:%d/%m/%Y}, PostgreSQL, simulateurs et Airflow : démarrage…")
    stay_on = {"scheduled": options.stay, "lived": options.stay, "in_place": options.stay}
    with Installation(FOLDER, today=today, ils=options.ils, **stay_on) as installation:
        say(f"Airflow répond : {installation.url}")
        if options.stay:
            (FOLDER / LIVED).write_text(today.isoformat(), encoding="utf-8")
            return stay(installation)
        return run_all(installation)


def last_day(folder: Path) -> date | None:
    """The day up to which the library kept in this folder has lived; None when it is no such library."""
    try:
        return date.fromisoformat((folder / LIVED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def clear(folder: Path) -> None:
    """Begin afresh: only what an earlier demo left under var/ goes."""
    folder.mkdir(exist_ok=True)
    for child in folder.iterdir():
        if child.name in KEPT_BETWEEN_DEMOS:
            continue
        shutil.rmtree(child) if child.is_dir() else child.unlink()


def run_all(installation: Installation) -> int:
    """Today's five DAGs, side by side, then the table."""
    api, alive, started = installation.api, installation.check_alive, time.monotonic()
    api.wait_for_dags([stage.value for stage in Stage], timeout=120, alive=alive)
    runs = {}
    for stage in Stage:
        api.unpause(stage.value)
        runs[stage] = api.trigger(stage.value, reference_date=installation.today.isoformat())
    say("Les cinq tournées du jour sont lancées…")
    if installation.approve_letters(runs[Stage.REGISTERED_LETTER], timeout=600):
        say("Lettres recommandées : lot validé par la démonstration, comme un bibliothécaire dans « Actions requises »")
    summaries: list[dict[str, Any]] = []
    for stage, run_id in runs.items():
        run = api.wait_for_run(stage.value, run_id, timeout=600, alive=alive)
        tasks = api.tasks(stage.value, run_id)
        summaries.append(stage_summary(installation.ledger_url, stage=stage, run=run, tasks=tasks))
        say(f"  {stage.value} : {run['state']}")
    print(table(summaries))
    (FOLDER / "summary.json").write_text(json.dumps(summaries, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    for words, path in (
        ("E-mails", installation.mail),
        ("SMS", installation.sms),
        ("Lettres", installation.letters),
        ("Journaux d'Airflow", installation.folder / "logs"),
        ("Ce tableau en JSON", FOLDER / "summary.json"),
    ):
        print(f"{words:<20} {path.relative_to(ROOT)}")
    print(f"Durée des cinq tournées : {time.monotonic() - started:.0f} s")
    failed = [summary["stage"] for summary in summaries if summary["state"] != "success"]
    if failed:
        print(f"ÉCHEC : {', '.join(failed)} (journaux sous var/logs)")
    return 1 if failed else 0


def stay(installation: Installation) -> int:
    """Leave Airflow running with its schedule on; today's runs start by themselves."""
    dag_ids = [*(stage.value for stage in Stage), "sms_feedback"]
    installation.api.wait_for_dags(dag_ids, timeout=120, alive=installation.check_alive)
    for dag_id in dag_ids:
        installation.api.unpause(dag_id)
    print(f"\nAirflow : {installation.url}")
    for user, role in (("admin", "administration"), ("biblio", "bibliothécaire")):
        print(f"  {role:<16} identifiant « {user} », mot de passe « {installation.passwords[user]} »")
    print("Ctrl-C arrête tout.", flush=True)
    try:
        while True:
            installation.check_alive()
            time.sleep(2)
    except KeyboardInterrupt:
        say("Arrêt…")
        return 0


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
