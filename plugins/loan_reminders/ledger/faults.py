"""Errors of the database, turned into the project's own errors, in French and without personal data.

PostgreSQL's own messages quote values (a key, a line of a bulk load); these never leave this module. Kept are the
class of the error, its SQLSTATE (PostgreSQL manual, appendix A) and, for a lost or refused connection, libpq's
words: they name a server, never a reader nor a password.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from sqlalchemy import exc

from loan_reminders.domain.errors import (
    LedgerFault,
    LedgerRefusal,
    LedgerRefused,
    LedgerUnavailable,
    ReminderError,
    RowRefused,
)
from loan_reminders.ledger.schema import UPGRADE_COMMAND

_TEMPORARY = {
    "08": LedgerFault.CONNECTION_LOST,
    "25006": LedgerFault.READ_ONLY,
    "40": LedgerFault.BLOCKED,
    "53100": LedgerFault.DISK_FULL,
    "53": LedgerFault.NO_RESOURCES,
    "55P03": LedgerFault.LOCK_HELD,
    "57014": LedgerFault.STATEMENT_TOO_LONG,
    "57": LedgerFault.STARTING_OR_STOPPING,
    "58": LedgerFault.SYSTEM_FAILURE,
}
_PERMANENT = {
    "28": LedgerFault.ACCOUNT_REFUSED,
    "3D": LedgerFault.NO_DATABASE,
    "42501": LedgerFault.NO_RIGHT,
    "42P01": LedgerFault.NO_TABLE,
    "42703": LedgerFault.NO_COLUMN,
    "42883": LedgerFault.NO_FUNCTION,
}
_OF_A_VALUE = ("21", "22", "23", "54")
"""Classes of errors that are about what a row holds, not about the ledger itself."""
_REFUSED_AT_THE_DOOR = (
    "password authentication failed",
    "authentification par mot de passe",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",
    "n'existe pas",
)
_CONFLICTS: dict[str, tuple[type[LedgerUnavailable | LedgerRefused], LedgerRefusal]] = {
    "one_live_claim": (LedgerUnavailable, LedgerRefusal.NOTICES_HELD),
    "one_attempt": (LedgerUnavailable, LedgerRefusal.RUN_BEING_OPENED),
    "one_letter_a_number": (LedgerUnavailable, LedgerRefusal.NUMBER_JUST_TAKEN),
    "one_batch_of_a_name": (LedgerRefused, LedgerRefusal.BATCH_NAME_TAKEN),
}
"""What it means that a unique constraint refuses a row: somebody else was there first."""


def _fault(sqlstate: str, faults: Mapping[str, LedgerFault]) -> LedgerFault | None:
    return faults.get(sqlstate) or faults.get(sqlstate[:2])


def _translated(error: BaseException) -> ReminderError:
    sqlstate = getattr(error, "sqlstate", None)
    kind = type(error).__name__
    if sqlstate is None:
        if not isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
            return RowRefused(LedgerRefusal.VALUE_REFUSED, kind=kind)
        words = " ".join(str(error).split())
        if any(phrase in words for phrase in _REFUSED_AT_THE_DOOR):
            return LedgerRefused(LedgerRefusal.CONNECTION_REFUSED, words=words)
        return LedgerUnavailable(LedgerRefusal.NO_ANSWER, words=words)
    constraint = getattr(getattr(error, "diag", None), "constraint_name", None)
    if constraint in _CONFLICTS:
        kind_of_error, code = _CONFLICTS[constraint]
        return kind_of_error(code)
    if fault := _fault(sqlstate, _PERMANENT):
        return LedgerRefused(LedgerRefusal.UNUSABLE, fault=fault, sqlstate=sqlstate, command=UPGRADE_COMMAND)
    if fault := _fault(sqlstate, _TEMPORARY):
        return LedgerUnavailable(LedgerRefusal.UNAVAILABLE, fault=fault, sqlstate=sqlstate, command=UPGRADE_COMMAND)
    place = f", {constraint}" if constraint else ""
    refusal = RowRefused if sqlstate.startswith(_OF_A_VALUE) else LedgerRefused
    return refusal(LedgerRefusal.STATEMENT_REFUSED, kind=kind, sqlstate=sqlstate, place=place)


@contextmanager
def ledger_errors() -> Iterator[None]:
    """Turn the driver's errors into LedgerUnavailable (a later try may succeed) or LedgerRefused.

    The driver's error is not chained: a traceback would print the statement's values.
    """
    try:
        yield
    except exc.DBAPIError as error:
        raise _translated(error.orig or error) from None
    except psycopg.Error as error:
        raise _translated(error) from None
    except exc.TimeoutError:
        raise LedgerUnavailable(LedgerRefusal.NO_FREE_CONNECTION) from None
    except (exc.PendingRollbackError, exc.ResourceClosedError) as error:
        raise LedgerUnavailable(LedgerRefusal.CONNECTION_LOST, kind=type(error).__name__) from None
