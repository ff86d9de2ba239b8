"""Check the way to the loans of the library's ILS: `make check-ils`.

    python -m loan_reminders.commands.check_ils --day 2026-11-30

Reads `library.toml` and the Airflow connection that `ils.connection` names, as a run does; writes nothing, neither to
the ILS nor to the ledger. Each check is one line with its time; what is wrong says what to ask whom. Names are masked
and no password is shown, so that the output can be sent to the administrator of the database as it is.

It returns 0 when all is well, 1 when something should be looked at, 2 when loans cannot be read: what monitoring tools
know as OK, WARNING and CRITICAL.

The *Test* button of Airflow's page of connections is not this check. For a type of connection it runs what the hook
class of the provider does, for `oracle` a `SELECT 1 FROM dual`; a class of ours could only take its place as a provider
package with a type of its own, and the form for it would hold none of the fields that Oracle's has.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from datetime import date, datetime, timedelta, tzinfo
from typing import TextIO

from loan_reminders.domain.errors import ReminderError, unexpected
from loan_reminders.french.plurals import one_or_many
from loan_reminders.services.runs.check_ils import CheckedDay, CheckLine, IlsCheck, Outcome
from loan_reminders.settings.library_toml import Settings, read_settings, settings_path

SIGNS = {Outcome.FINE: "✓", Outcome.WARNING: "!", Outcome.FAILURE: "✗"}
STATUS = {Outcome.FINE: 0, Outcome.WARNING: 1, Outcome.FAILURE: 2}
_HELP = """\
Vérifie, une étape après l'autre, que les prêts du SIGB peuvent être lus : connexion, compte, droits (trop peu, et de
trop), requêtes, plan, prêts d'un jour, codes, adresses. N'écrit rien, ni dans le SIGB ni dans le registre.

Code de retour : 0 tout va bien ; 1 quelque chose est à regarder (lignes « ! ») ; 2 les prêts ne peuvent pas être lus
(lignes « ✗ »), ou les réglages sont faux. Les noms sont masqués, aucun mot de passe n'est affiché."""


def main(
    arguments: Sequence[str] | None = None,
    *,
    now: Callable[[tzinfo], datetime] = datetime.now,
    stopwatch: Callable[[], float] = time.perf_counter,
    out: TextIO | None = None,
) -> int:
    """Check, say each result as it comes, and return the worst as 0, 1 or 2."""
    out = out or sys.stdout
    parser = argparse.ArgumentParser(
        prog="make check-ils",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("--help", "-h", action="help", help="afficher cette aide")
    parser.add_argument(
        "--day",
        "--jour",
        dest="day",
        type=date.fromisoformat,
        metavar="AAAA-MM-JJ",
        help="jour d'échéance à lire (hier sinon)",
    )
    asked = parser.parse_args(arguments)
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(errors="replace")  # a terminal without ✓ must not end the check
    # The connections kept in Airflow's own database are read as its servers read them, since no task runs here.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    with redirect_stdout(sys.stderr):  # what Airflow has to say is none of the answer
        return _checked(asked.day, now, stopwatch, out)


def _checked(day: date | None, now: Callable[[tzinfo], datetime], stopwatch: Callable[[], float], out: TextIO) -> int:
    try:
        ours = read_settings(settings_path())
        today = now(ours.zone).date()
        check = _check(ours, CheckedDay(due_date=day or today - timedelta(days=1), today=today), stopwatch)
    except ReminderError as wrong:
        out.write(f"{SIGNS[Outcome.FAILURE]} {wrong}\n")
        return STATUS[Outcome.FAILURE]
    out.write(f"SIGB « {ours.ils.kind} », connexion Airflow « {ours.ils.connection} »\n")
    found = []
    try:
        for line in check.lines():
            found.append(line.outcome)
            out.write(_written(line))
            out.flush()
    except Exception as error:  # Python's own status would be that of a warning, and its words may be a reader's
        out.write(f"{SIGNS[Outcome.FAILURE]} Erreur inattendue : {unexpected(error)}\n")
        found.append(Outcome.FAILURE)
    out.write(_conclusion(found))
    return max(STATUS[outcome] for outcome in found)


def _check(ours: Settings, day: CheckedDay, stopwatch: Callable[[], float]) -> IlsCheck:
    import airflow.sdk  # noqa: F401 - some seconds, which are not the ILS's

    from loan_reminders.hooks.ils import ils_inspection, loan_source

    return IlsCheck(
        lambda: ils_inspection(ours.ils, zone=ours.zone),
        loan_source(ours.ils, codes=ours.codes(), for_pages=True),
        day=day,
        stopwatch=stopwatch,
    )


def _written(line: CheckLine) -> str:
    seconds = f"{line.seconds:.2f}".replace(".", ",")
    told = [f"{SIGNS[line.outcome]} {line.words} ({seconds} s)", *(f"    {detail}" for detail in line.details)]
    if line.remedy:
        told.append(f"  → {line.remedy[0].upper()}{line.remedy[1:]}.")
    return "\n".join(told) + "\n"


def _conclusion(found: Sequence[Outcome]) -> str:
    failures, warnings = found.count(Outcome.FAILURE), found.count(Outcome.WARNING)
    if not failures and not warnings:
        return "Tout va bien.\n"
    parts = []
    if failures:
        parts.append(f"{failures} {one_or_many(failures, 'échec', 'échecs')}")
    if warnings:
        parts.append(f"{warnings} {one_or_many(warnings, 'point', 'points')} à regarder")
    return f"{', '.join(parts)}.\n"


if __name__ == "__main__":
    raise SystemExit(main())
