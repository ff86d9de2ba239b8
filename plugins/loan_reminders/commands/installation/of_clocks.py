"""The clocks and zones of all that must agree on what day it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from loan_reminders.commands.installation.findings import Asked, Finding, failure, fine, warning
from loan_reminders.commands.installation.of_ledger import inspected
from loan_reminders.domain.errors import ReminderError, unexpected

A_LITTLE = timedelta(seconds=5)
TOO_MUCH = timedelta(minutes=1)
_REMEDY = "régler l'heure de cette machine et de ce serveur par NTP"


def clocks_check(asked: Asked) -> Iterator[Finding]:
    """Compare each server's clock with this machine's, and the zones of Airflow and of the library."""
    from airflow.configuration import conf

    zone = asked.ours.library.time_zone
    airflow = str(conf.get("core", "default_timezone", fallback="utc"))
    if airflow != zone:
        yield warning(
            f"Airflow est à l'heure de {airflow}, la bibliothèque à celle de {zone}",
            means="Les tournées partent à l'heure de la bibliothèque ; mais une date donnée en ligne de commande à"
            " Airflow est un autre jour près de minuit.",
            remedy=f"donner {zone} à AIRFLOW__CORE__DEFAULT_TIMEZONE",
        )
    else:
        yield fine(f"Airflow et la bibliothèque sont à l'heure de {zone}")
    here = asked.now().astimezone()
    if here.utcoffset() != asked.now().astimezone(asked.ours.zone).utcoffset():
        yield fine(f"La machine est à l'heure de {here.tzname()} : sans effet sur les tournées")
    for name, clock in (("du registre", _ledger), ("de la base d'Airflow", _airflow), ("du SIGB", _ils)):
        yield _compared(name, clock, asked)


def _compared(name: str, clock: Callable[[Asked], datetime], asked: Asked) -> Finding:
    before = asked.now()
    try:
        there = clock(asked)
    except Exception as error:  # whether it can be reached is another check's
        said = type(error).__name__ if isinstance(error, ReminderError) else unexpected(error)
        return warning(
            f"Horloge {name} : inconnue ({said})",
            means="Elle n'a pas pu être comparée.",
            remedy="voir la vérification de ce serveur, plus haut",
        )
    after = asked.now()
    skew = there.astimezone(UTC) - (before + (after - before) / 2).astimezone(UTC)
    seconds = f"{skew.total_seconds():+.0f} s"
    if abs(skew) <= A_LITTLE + (after - before):
        return fine(f"Horloge {name} : d'accord à {seconds}")
    words = f"Horloge {name} : {seconds} par rapport à cette machine"
    if abs(skew) <= TOO_MUCH:
        return warning(words, means="Les heures des pages et des journaux ne se suivent pas.", remedy=_REMEDY)
    return failure(
        words, means="Près de minuit, un lecteur serait prévenu un jour trop tôt ou trop tard.", remedy=_REMEDY
    )


def _ledger(asked: Asked) -> datetime:
    with inspected(asked) as ledger:
        return ledger.clock()


def _airflow(asked: Asked) -> datetime:
    from airflow.utils.session import create_session
    from sqlalchemy import text

    with create_session() as session:
        found = session.execute(text("SELECT CURRENT_TIMESTAMP")).scalar_one()
    moment = found if isinstance(found, datetime) else datetime.fromisoformat(str(found))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _ils(asked: Asked) -> datetime:
    from loan_reminders.hooks.ils import ils_clock

    return ils_clock(asked.ours.ils, zone=asked.ours.zone)
