"""What the database says when it cannot, in the project's words and without anybody's data.

PostgreSQL's own messages quote values (a key, a line of a bulk load); these never leave this module. Kept are the
class of the error, its SQLSTATE (PostgreSQL manual, appendix A) and, for a lost or refused connection, libpq's
words: they name a server, never a reader nor a password.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import exc

from loan_reminders.domain.errors import LedgerUnavailable, PermanentError, ReminderError
from loan_reminders.ledger.schema import UPGRADE_COMMAND

_TEMPORARY = {
    "08": "the connection was lost",
    "25006": "the database is read-only",
    "40": "another transaction was in the way",
    "53100": "the disk is full",
    "53": "the server is short of resources",
    "55P03": "a lock held by another process was not released in time",
    "57014": "a statement took too long",
    "57": "the server is stopping or starting",
    "58": "the server's system failed",
}
_PERMANENT = {
    "28": "the server refuses the account",
    "3D": "the database does not exist",
    "42501": "the account lacks a right on a table",
    "42P01": f"a table is missing: run `{UPGRADE_COMMAND}`",
    "42703": f"a column is missing: run `{UPGRADE_COMMAND}`",
    "42883": f"a function is missing: run `{UPGRADE_COMMAND}`",
}
_REFUSED_AT_THE_DOOR = (
    "password authentication failed",
    "authentification par mot de passe",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",
    "n'existe pas",
)
_CONFLICTS = {
    "one_live_claim": LedgerUnavailable("Another run holds the same notices; a later try will see them as sent."),
    "one_attempt": LedgerUnavailable("Another process is opening the same run."),
    "one_batch_of_a_name": PermanentError("A batch of letters of this name is already recorded."),
}


def _said(sqlstate: str, words: dict[str, str]) -> str | None:
    return words.get(sqlstate) or words.get(sqlstate[:2])


def _translated(error: BaseException) -> ReminderError:
    sqlstate = getattr(error, "sqlstate", None)
    kind = type(error).__name__
    if sqlstate is None:
        if not isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
            return PermanentError(f"The ledger's driver refuses a value ({kind}).")
        words = " ".join(str(error).split())
        if any(phrase in words for phrase in _REFUSED_AT_THE_DOOR):
            return PermanentError(f"The ledger's server refuses the connection: {words}")
        return LedgerUnavailable(f"The ledger's database does not answer: {words}")
    constraint = getattr(getattr(error, "diag", None), "constraint_name", None)
    conflict = _CONFLICTS.get(constraint or "")
    if conflict is not None:
        return type(conflict)(*conflict.args)
    if said := _said(sqlstate, _PERMANENT):
        return PermanentError(f"The ledger cannot be used: {said} (SQLSTATE {sqlstate}).")
    if said := _said(sqlstate, _TEMPORARY):
        return LedgerUnavailable(f"The ledger is out of reach for now: {said} (SQLSTATE {sqlstate}).")
    place = f", {constraint}" if constraint else ""
    return PermanentError(f"The ledger refuses a statement ({kind}, SQLSTATE {sqlstate}{place}).")


@contextmanager
def ledger_errors() -> Iterator[None]:
    """Turn the driver's errors into LedgerUnavailable (a later try may succeed) or PermanentError.

    The driver's error is not chained: a traceback would print the statement's values.
    """
    try:
        yield
    except exc.DBAPIError as error:
        raise _translated(error.orig or error) from None
    except psycopg.Error as error:
        raise _translated(error) from None
    except exc.TimeoutError:
        raise LedgerUnavailable("The ledger has no free connection left in this process.") from None
    except (exc.PendingRollbackError, exc.ResourceClosedError) as error:
        raise LedgerUnavailable(f"The ledger's connection is closed ({type(error).__name__}).") from None
