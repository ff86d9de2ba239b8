"""From the fields of an Airflow Connection of type mysql to an open connection of PyMySQL."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from loan_reminders.domain.errors import IlsRejected

if TYPE_CHECKING:
    from pymysql.connections import Connection

PORT = 3306
CONNECT_SECONDS = 10
PATIENCE_SECONDS = 5
"""How much longer than the server's own time-out an answer is waited for."""
SSL_MODES = ("DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
_FILES = ("ssl_ca", "ssl_cert", "ssl_key")
ALLOWED = ("connect_timeout", "engine", "ssl", *_FILES, "ssl_mode", "unix_socket")
"""The extras that are read. `engine` is for Airflow's type `generic`, `ssl` is the one of Airflow's MySQL provider."""


def connect(
    *,
    host: str | None,
    port: int | None,
    login: str | None,
    password: str | None,
    database: str | None,
    extra: Mapping[str, Any],
    call_timeout_ms: int = 60_000,
) -> Connection[Any]:
    """Open a connection, always in utf8mb4: the server turns what its tables hold into it.

    Without `ssl_mode` the connection is encrypted where the server offers it, as MySQL's own clients do; with `ssl_ca`
    the server's certificate is checked too (VERIFY_CA), with VERIFY_IDENTITY its name as well.
    Raises IlsRejected for an extra that is unknown or wrong, and the driver's errors.
    """
    import pymysql

    return pymysql.connect(
        host=host or "localhost",
        port=port or PORT,
        user=login or "",
        password=(password or "").encode(),  # of a text, the driver takes Latin-1 signs alone
        database=database or None,
        charset="utf8mb4",
        connect_timeout=_seconds(extra),
        read_timeout=call_timeout_ms / 1000 + PATIENCE_SECONDS,
        write_timeout=call_timeout_ms / 1000 + PATIENCE_SECONDS,
        unix_socket=extra.get("unix_socket") or None,
        program_name="loan_reminders",
        **_encryption(extra),
    )


def _seconds(extra: Mapping[str, Any]) -> int:
    unknown = sorted(extra.keys() - set(ALLOWED))
    if unknown:
        raise IlsRejected(
            f"Connexion au SIGB : extra inconnu : {', '.join(unknown)}. Extras permis : {', '.join(ALLOWED)}."
            " Le corriger dans la connexion d'Airflow, puis relancer la tâche."
        )
    told = str(extra.get("connect_timeout") or CONNECT_SECONDS)
    if not (told.isascii() and told.isdigit() and 1 <= int(told) <= 300):
        raise _wrong("connect_timeout", "un nombre de secondes de 1 à 300")
    return int(told)


def _encryption(extra: Mapping[str, Any]) -> dict[str, Any]:
    files = _files(extra)
    mode = str(extra.get("ssl_mode") or ("VERIFY_CA" if files.get("ssl_ca") else "PREFERRED")).upper()
    if mode not in SSL_MODES:
        raise _wrong("ssl_mode", ", ".join(SSL_MODES))
    if mode == "DISABLED":
        return {"ssl_disabled": True}
    if mode == "PREFERRED" and not files:
        return {}
    try:
        context = ssl.create_default_context(cafile=files.get("ssl_ca"))
        if files.get("ssl_cert"):
            context.load_cert_chain(files["ssl_cert"], keyfile=files.get("ssl_key"))
    except OSError:  # of which ssl.SSLError is one
        raise _wrong(", ".join(files), "des fichiers PEM que la machine d'Airflow peut lire") from None
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # the certificates that MariaDB and MySQL make themselves fail it
    context.check_hostname = mode == "VERIFY_IDENTITY"
    context.verify_mode = ssl.CERT_REQUIRED if mode.startswith("VERIFY") else ssl.CERT_NONE
    return {"ssl": context}


def _files(extra: Mapping[str, Any]) -> dict[str, str]:
    """The files of the extras `ssl_*`, or of `ssl`, a mapping or its JSON: `{"ca": …, "cert": …, "key": …}`."""
    group = extra.get("ssl") or {}
    if isinstance(group, str):
        try:
            group = json.loads(group)
        except ValueError:
            group = None
    if not isinstance(group, Mapping) or group.keys() - {"ca", "cert", "key"}:
        raise _wrong("ssl", 'un objet JSON : {"ca": …, "cert": …, "key": …}')
    found = {f"ssl_{name}": str(path) for name, path in group.items() if path}
    return found | {name: str(extra[name]) for name in _FILES if extra.get(name)}


def _wrong(name: str, allowed: str) -> IlsRejected:
    return IlsRejected(
        f"Connexion au SIGB : extra {name} : valeurs permises : {allowed}."
        " Le corriger dans la connexion d'Airflow, puis relancer la tâche."
    )
