"""What an Oracle error means for a run: come back later, or mend something first."""

from __future__ import annotations

import re

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable

_UNAVAILABLE = {
    "DPY-1001": "the connection is closed",
    "DPY-4011": "the connection broke",
    "DPY-4024": "the database took longer than allowed to answer",
    "DPY-4033": "the session was idle too long",
    "DPY-4035": "the answer cannot be read",
    "DPY-6000": "the listener refused the connection",
    "DPY-6001": "the listener does not know the service",
    "DPY-6003": "the listener does not know the SID",
    "DPY-6004": "the proxy refused the connection",
    "DPY-6005": "the server cannot be reached",
    "ORA-00018": "too many sessions",
    "ORA-00020": "too many processes",
    "ORA-00028": "the session was killed",
    "ORA-00060": "deadlock",
    "ORA-01012": "not logged on any more",
    "ORA-01013": "the query was cancelled",
    "ORA-01033": "the database is starting or stopping",
    "ORA-01034": "the database is not started",
    "ORA-01089": "the database is stopping",
    "ORA-01090": "the database is stopping",
    "ORA-01092": "the database stopped",
    "ORA-01109": "the database is not open",
    "ORA-01555": "the data changed too much during the query",
    "ORA-01652": "no room for the query's working data",
    "ORA-02391": "too many sessions for this account",
    "ORA-02396": "the session was idle too long",
    "ORA-03113": "the connection broke",
    "ORA-03114": "the connection broke",
    "ORA-03135": "the connection broke",
    "ORA-04031": "the database is short of memory",
    "ORA-12170": "the server does not answer in time",
    "ORA-12505": "the listener does not know the SID",
    "ORA-12514": "the listener does not know the service",
    "ORA-12516": "the listener has no free handler",
    "ORA-12518": "the listener cannot hand over the connection",
    "ORA-12519": "the listener has no free handler",
    "ORA-12520": "the listener has no free handler",
    "ORA-12528": "the database is starting or stopping",
    "ORA-12537": "the connection was closed",
    "ORA-12541": "no listener at this address",
    "ORA-12547": "the connection was lost",
    "ORA-12571": "the connection broke",
}
_REJECTED = {
    "DPY-3001": "the server demands something that needs thick mode",
    "DPY-3010": "the server is too old for thin mode",
    "DPY-3015": "the account's password verifier is too old for thin mode",
    "DPY-4000": "the TNS name is unknown",
    "DPY-4001": "no user name or password is set",
    "DPY-4008": "the statement has no such bind",
    "DPY-4010": "a bind has no value",
    "DPY-4017": "the connect descriptor cannot be read",
    "DPY-4018": "the connect string cannot be read",
    "ORA-00904": "no such column or function",
    "ORA-00942": "no such table or view, or no right to read it",
    "ORA-01005": "no password given",
    "ORA-01017": "wrong user name or password",
    "ORA-01031": "the account lacks a right",
    "ORA-01045": "the account may not log in",
    "ORA-01435": "no such schema",
    "ORA-01722": "a text of the ILS is no number",
    "ORA-01745": "a bind bears a reserved name",
    "ORA-01839": "a text of the ILS is no date",
    "ORA-01843": "a text of the ILS is no date",
    "ORA-01861": "a text of the ILS is no date",
    "ORA-28000": "the account is locked",
    "ORA-28001": "the password has expired",
    "ORA-28002": "the password will expire",
    "ORA-28040": "the server refuses this client's authentication protocol",
}
_CANNOT_CONNECT = "DPY-6005"
_CAUSE = re.compile(r"\b(?:DPY-\d{4}|ORA-\d{5})\b")
_IDENTIFIER = re.compile(r'(?:"[A-Z][A-Z0-9_$#]{0,127}"\.?){1,3}')
_NAMES_SOMETHING = frozenset({"ORA-00904", "ORA-00942"})


def ils_error(error: Exception, doing: str) -> IlsUnavailable | IlsRejected:
    """The project's error for one of the driver's, said with its code and without anything the database holds.

    Oracle's own text is left out: some of it quotes data, and a driver's may name the account. Only the identifiers
    of a missing column or table are kept. An unknown code is permanent when it is about the statement
    (ORA-009xx, or what the driver calls programming, data or unsupported), temporary otherwise.
    """
    import oracledb

    detail = error.args[0] if error.args else None
    message = str(getattr(detail, "message", ""))
    code = str(getattr(detail, "full_code", "") or type(error).__name__)
    if code == _CANNOT_CONNECT and (cause := _CAUSE.search(message, len(code))):
        code = cause[0]
    if code in _UNAVAILABLE:
        return IlsUnavailable(f"{doing}: {code}, {_UNAVAILABLE[code]}")
    if code in _REJECTED:
        names = "".join(_IDENTIFIER.findall(message)[:1]) if code in _NAMES_SOMETHING else ""
        return IlsRejected(f"{doing}: {code}, {_REJECTED[code]}{f' ({names})' if names else ''}")
    permanent = (
        oracledb.ProgrammingError,
        oracledb.DataError,
        oracledb.IntegrityError,
        oracledb.NotSupportedError,
    )
    about_statement = code.startswith("ORA-009") or isinstance(error, permanent)
    return (IlsRejected if about_statement else IlsUnavailable)(f"{doing}: {code}")
