"""Check the way to the loans of the library's ILS: `make check-ils`.

    loan-reminders check-ils --day 2026-11-30

Reads `library.toml` and the Airflow connection that `ils.connection` names, as a run does; writes nothing, neither to
the ILS nor to the ledger. Each check is one line with its time; what is wrong says what to ask whom. Names are masked
and no password is shown, so that the output can be sent to the administrator of the database as it is.

It returns 0 when all is well, 1 when something should be looked at, 2 when loans cannot be read: what monitoring tools
know as OK, WARNING and CRITICAL.

The *Test* button of a connection of type `ils` runs its first steps (`hooks/connection_types/ils`).
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from datetime import date, datetime, timedelta, tzinfo
from typing import TextIO

from loan_reminders.commands.french_arguments import day
from loan_reminders.commands.registry import command_parser, library_option
from loan_reminders.domain.errors import ReminderError, unexpected
from loan_reminders.french.plurals import one_or_many
from loan_reminders.services.runs.check_ils import CheckedDay, CheckLine, IlsCheck, Outcome
from loan_reminders.services.runs.check_notices import notice_lines
from loan_reminders.settings.libraries import of_library
from loan_reminders.settings.library_toml import Settings, settings

SIGNS = {Outcome.FINE: "✓", Outcome.WARNING: "!", Outcome.FAILURE: "✗"}
STATUS = {Outcome.FINE: 0, Outcome.WARNING: 1, Outcome.FAILURE: 2}
_HELP = """\
Une étape après l'autre : connexion, compte, droits (trop peu, et de trop), requêtes, plan, prêts d'un jour, codes,
adresses. N'écrit rien, ni dans le SIGB ni dans le registre.

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
    parser = command_parser("check-ils", more=_HELP)
    parser.add_argument(
        "--day", "--jour", dest="day", type=day, metavar="AAAA-MM-JJ", help="jour d'échéance à lire (hier sinon)"
    )
    library_option(parser)
    asked = parser.parse_args(arguments)
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(errors="replace")  # a terminal without ✓ must not end the check
    with redirect_stdout(sys.stderr), of_library(asked.bibliotheque):  # what Airflow has to say is none of the answer
        return _checked(asked.day, now, stopwatch, out)


def _checked(day: date | None, now: Callable[[tzinfo], datetime], stopwatch: Callable[[], float], out: TextIO) -> int:
    try:
        ours = settings()
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

    from loan_reminders.hooks.ils import checked_notices, ils_inspection, loan_source

    codes = ours.codes()
    asked = codes.consent.columns
    return IlsCheck(
        lambda: ils_inspection(ours.ils, zone=ours.zone, asked=asked),
        loan_source(ours.ils, codes=codes, for_pages=True),
        day=day,
        stopwatch=stopwatch,
        asked=asked,
        then=lambda: notice_lines(checked_notices(ours, today=day.today), day=day, stopwatch=stopwatch),
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
