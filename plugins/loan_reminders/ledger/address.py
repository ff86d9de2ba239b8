"""Where the ledger's database is, read from a URL, an Airflow Connection, the environment or the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from loan_reminders.domain.errors import PermanentError
from loan_reminders.french import ledger as sentences

DRIVER = "postgresql+psycopg"
FILE_VARIABLE = "REMINDERS_LEDGER_URL_FILE"
VARIABLES = ("REMINDERS_LEDGER_URL", FILE_VARIABLE)
"""Environment variables that name the ledger, the first one found wins; one gives the path of a file that does."""

_LIBPQ = frozenset(
    {
        "channel_binding",
        "connect_timeout",
        "gssencmode",
        "host",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "krbsrvname",
        "options",
        "passfile",
        "port",
        "service",
        "sslcert",
        "sslcrl",
        "sslkey",
        "sslmode",
        "sslnegotiation",
        "sslrootcert",
        "target_session_attrs",
        "tcp_user_timeout",
    }
)


def from_connection(
    *,
    host: str | None = None,
    port: int | None = None,
    login: str | None = None,
    password: str | None = None,
    database: str | None = None,
    extra: Mapping[str, object] | None = None,
) -> URL:
    """The URL of a connection of type postgres.

    `extra` may hold libpq's own settings; what libpq does not know is left out.

    A host that is a folder (it starts with `/`) is the folder of the server's Unix socket; it may also be
    `extra["host"]`.
    """
    query = {key: str(value) for key, value in (extra or {}).items() if key in _LIBPQ and value not in (None, "")}
    host = unquote(host) if host else None
    if host and host.startswith("/"):
        query.setdefault("host", host)
    if "host" in query:
        host = None
        if port is not None:
            query.setdefault("port", str(port))
            port = None
    return URL.create(
        DRIVER,
        username=login or None,
        password=password or None,
        host=host,
        port=port,
        database=database or None,
        query=query,
    )


def from_text(text: str) -> URL:
    """The URL behind `postgresql://…`, `postgres://…`, or the JSON form of an Airflow Connection.

    Raises PermanentError when it is neither; the message does not repeat the text, which may hold a password.
    """
    if text.lstrip().startswith("{"):
        return _from_json(text)
    scheme, separator, rest = text.strip().partition("://")
    if not separator or scheme.partition("+")[0] not in ("postgres", "postgresql"):
        raise PermanentError("L'adresse du registre doit commencer par postgresql:// : la corriger.")
    try:
        url = make_url(f"{DRIVER}://{rest}")
    except (ArgumentError, ValueError):
        raise PermanentError(sentences.UNREADABLE_ADDRESS) from None
    extra = {key: value if isinstance(value, str) else value[-1] for key, value in url.query.items()}
    password = None if url.password is None else str(url.password)
    return from_connection(
        host=url.host, port=url.port, login=url.username, password=password, database=url.database, extra=extra
    )


def _from_json(text: str) -> URL:
    try:
        fields = json.loads(text)
        extra = fields.get("extra") or {}
        extra = json.loads(extra) if isinstance(extra, str) else extra
        port = int(fields["port"]) if fields.get("port") else None
        if not isinstance(extra, dict):
            raise TypeError
    except (ValueError, TypeError):
        raise PermanentError(sentences.NO_CONNECTION) from None
    return from_connection(
        host=fields.get("host"),
        port=port,
        login=fields.get("login"),
        password=fields.get("password"),
        database=fields.get("schema"),
        extra=extra,
    )


def from_environment(environment: Mapping[str, str]) -> URL | None:
    """The URL named by the first of `VARIABLES` that is set; None without any. Raises PermanentError for no address."""
    for name in VARIABLES:
        if environment.get(name):
            return from_text(_content(environment[name]) if name == FILE_VARIABLE else environment[name])
    return None


def from_command_line(given: str | None, environment: Mapping[str, str]) -> URL | None:
    """The URL given as an argument, else the one that the environment names; None without any.

    Raises PermanentError when the argument holds a password: everybody on the machine can read the arguments of a
    program, and the shell keeps them.
    """
    if not given:
        return from_environment(environment)
    if from_text(given).password or "password" in given.lower():
        raise PermanentError(sentences.ARGUMENTS_ARE_READ.format(file_variable=FILE_VARIABLE))
    return from_text(given)


def _content(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise PermanentError(sentences.UNREADABLE_FILE.format(file_variable=FILE_VARIABLE, path=path)) from None
