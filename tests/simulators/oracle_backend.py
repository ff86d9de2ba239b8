"""What answers SQL behind the Oracle wire server: one SQLite session that behaves like Oracle's."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import available_timezones

from seerdb.common.tns_consts import TNS_TYPE_DATE, TNS_TYPE_NUMBER, TNS_TYPE_VARCHAR
from seerdb.server import BackendError, BindVar, Capability, ColumnMeta, Result

from tests.simulators.oracle_dictionary import DICTIONARY_TYPES, EXPLAIN, Dictionary, explain

NUMBER, VARCHAR, DATE = "NUMBER", "VARCHAR", "DATE"
ALEPH_TYPES: Mapping[str, str] = {
    "loan_number": NUMBER,
    "loan_date": NUMBER,
    "due_date": NUMBER,
    "renewal_count": NUMBER,
    "notice_date": NUMBER,
    "birth_date": NUMBER,
}
"""Types of the Aleph extraction's columns that are not VARCHAR; SQLite does not tell the type of a result column."""

RESERVED_BINDS = frozenset({
    "access", "add", "all", "alter", "and", "any", "as", "asc", "audit", "between", "by", "char", "check",
    "cluster", "column", "comment", "compress", "connect", "create", "current", "date", "decimal", "default",
    "delete", "desc", "distinct", "drop", "else", "exclusive", "exists", "file", "float", "for", "from", "grant",
    "group", "having", "identified", "immediate", "in", "increment", "index", "initial", "insert", "integer",
    "intersect", "into", "is", "level", "like", "lock", "long", "maxextents", "minus", "mlslabel", "mode", "modify",
    "noaudit", "nocompress", "not", "nowait", "null", "number", "of", "offline", "on", "online", "option", "or",
    "order", "pctfree", "prior", "public", "raw", "rename", "resource", "row", "rowid", "rownum", "rows", "select",
    "session", "set", "share", "size", "smallint", "start", "successful", "synonym", "sysdate", "table", "then",
    "to", "trigger", "uid", "union", "unique", "update", "user", "validate", "values", "varchar", "varchar2",
    "view", "whenever", "where", "with",
})  # fmt: skip
"""Oracle's reserved words: none may be the name of a bind (ORA-01745)."""

_TOKENS = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|(?P<end>;)|:(?P<bind>[A-Za-z]\w*|\d+)", re.DOTALL)
_READ_ONLY = re.compile(r"SET\s+TRANSACTION\s+READ\s+ONLY", re.IGNORECASE)
_SESSION_ZONE = re.compile(r"ALTER\s+SESSION\s+SET\s+TIME_ZONE\s*=\s*'([^']*)'", re.IGNORECASE)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_QUERY = re.compile(r"(?:SELECT|WITH)\b", re.IGNORECASE)
_WIDTHS = {NUMBER: (TNS_TYPE_NUMBER, 22), VARCHAR: (TNS_TYPE_VARCHAR, 4000), DATE: (TNS_TYPE_DATE, 7)}


class SqliteBackend:
    """One client session over an SQLite file.

    `log` is given every statement; `before_query` is called before each query and may raise `BackendError` or wait.
    `refuse_login` is the ORA error that a client with the right password gets instead of its session, `dictionary`
    what Oracle's own views say of its account.
    """

    capabilities = frozenset({Capability.TRANSACTIONS})
    field_version = 7

    def __init__(
        self,
        database: Path,
        *,
        accounts: Mapping[str, str],
        types: Mapping[str, str] = ALEPH_TYPES,
        log: Callable[[str], None] = lambda sql: None,
        before_query: Callable[[], None] = lambda: None,
        refuse_login: int = 0,
        dictionary: Dictionary | None = None,
    ) -> None:
        self._accounts = {user.upper(): password for user, password in accounts.items()}
        self._types = {**DICTIONARY_TYPES, **types}
        self._log, self._before_query = log, before_query
        self._refuse_login = refuse_login
        self._wrote = False
        self._sqlite = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        self._sqlite.execute("CREATE TEMP TABLE dual (dummy VARCHAR2(1))")
        self._sqlite.execute("INSERT INTO dual VALUES ('X')")
        self._dictionary = dictionary or Dictionary()
        self._sqlite.create_function("sys_extract_utc", 1, lambda moment: moment)
        self._sqlite.create_function("to_char", 2, lambda moment, _: self._dictionary.clock(moment))

    def authenticate(self, username: str) -> str | None:
        return self._accounts.get(username.upper())

    def open_session(self, attributes: Mapping[str, object]) -> None:
        if self._refuse_login:
            raise BackendError("logon denied", ora_code=self._refuse_login)
        self._dictionary.show(self._sqlite, next(iter(self._accounts)))

    def execute(self, sql: str, binds: Sequence[object] = ()) -> Result:
        self._log(sql)
        statement = _COMMENT.sub(" ", sql).strip()
        if _READ_ONLY.fullmatch(statement):
            return self._begin_read_only()
        if zone := _SESSION_ZONE.fullmatch(statement):
            if zone[1] not in available_timezones():
                raise BackendError("timezone region not found", ora_code=1882)
            return Result()
        if statement.upper() == "ROLLBACK":
            self.rollback()
            return Result()
        values = self._bind_values(sql, binds)
        if plan := EXPLAIN.fullmatch(statement):
            for step in explain(plan[1], plan[2], lambda query: self._run(query, values)):
                self._run("INSERT INTO plan_table VALUES (?, ?, ?, ?, ?, ?)", step)
            return Result()
        if _QUERY.match(statement):
            self._before_query()
            return self._query(sql, values)
        if not self._sqlite.in_transaction:
            self._run("BEGIN", {})
        cursor = self._run(sql, values)
        self._wrote = True
        return Result(rowcount=max(cursor.rowcount, 0))

    def commit(self) -> None:
        self._end("COMMIT")

    def rollback(self) -> None:
        self._end("ROLLBACK")

    def close(self) -> None:
        self._sqlite.close()

    def _begin_read_only(self) -> Result:
        if self._wrote:
            raise BackendError("SET TRANSACTION must be first statement of transaction", ora_code=1453)
        self._sqlite.execute("PRAGMA query_only = ON")
        return Result()

    def _end(self, how: str) -> None:
        self._log(how)
        if self._sqlite.in_transaction:
            self._sqlite.execute(how)
        self._sqlite.execute("PRAGMA query_only = OFF")
        self._wrote = False

    def _bind_values(self, sql: str, binds: Sequence[object]) -> dict[str, object]:
        """The client sends one value an occurrence; SQLite wants one a name."""
        names = []
        for token in _TOKENS.finditer(sql):
            if token["end"]:
                raise BackendError("invalid character", ora_code=911, error_offset=token.start())
            if name := token["bind"]:
                if name.lower() in RESERVED_BINDS:
                    raise BackendError("invalid host/bind variable name", ora_code=1745, error_offset=token.start())
                names.append(name)
        if len(names) != len(binds):
            raise BackendError("not all variables bound", ora_code=1008)
        return {name: _sqlite_value(value) for name, value in zip(names, binds, strict=True)}

    def _query(self, sql: str, values: Mapping[str, object]) -> Result:
        cursor = self._run(sql, values)
        names = [column[0] for column in cursor.description]
        rows = cursor.fetchall()  # the protocol wants them all at once
        kinds = [_kind(self._types.get(name.lower()), [row[i] for row in rows]) for i, name in enumerate(names)]
        columns = [
            ColumnMeta(name.upper().encode(), *_WIDTHS[kind], _WIDTHS[kind][1])
            for name, kind in zip(names, kinds, strict=True)
        ]
        writers = [_WRITERS[kind] for kind in kinds]
        return Result(
            columns=columns,
            rows=[tuple(write(value) for write, value in zip(writers, row, strict=True)) for row in rows],
        )

    def _run(self, sql: str, values: Mapping[str, object] | Sequence[object]) -> sqlite3.Cursor:
        try:
            return self._sqlite.execute(sql, values)
        except sqlite3.Error as error:
            raise _ora(str(error)) from error


def _kind(declared: str | None, values: Sequence[object]) -> str:
    """The declared type if every value fits it, else NUMBER for numbers only, else VARCHAR."""
    known = [value for value in values if value is not None]
    numeric = all(isinstance(value, (int, float)) for value in known)
    if declared == NUMBER or declared is None:
        return NUMBER if numeric and (known or declared) else VARCHAR
    return declared


def _as_text(value: object) -> object:
    """Oracle knows no empty text: it is NULL. Bytes stand for text that is not valid UTF-8."""
    if value is None or isinstance(value, bytes):
        return value
    return str(value) or None


def _as_date(value: object) -> object:
    return datetime.fromisoformat(str(value)) if value else None


_WRITERS: Mapping[str, Callable[[object], object]] = {NUMBER: lambda value: value, VARCHAR: _as_text, DATE: _as_date}


def _sqlite_value(value: object) -> object:
    if isinstance(value, BindVar):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value if isinstance(value, (int, float, str, bytes)) or value is None else int(str(value))


def _ora(message: str) -> BackendError:
    """SQLite's error as the one Oracle would give."""
    if found := re.search(r"no such table: (?:\w+\.)?(\w+)", message):
        return BackendError(f'table or view "ILS"."{found[1].upper()}" does not exist', ora_code=942)
    if found := re.search(r"no such (?:column|function): (?:(\w+)\.)?(\w+)", message):
        name = ".".join(f'"{part.upper()}"' for part in found.groups() if part)
        return BackendError(f"{name}: invalid identifier", ora_code=904)
    if "readonly" in message:
        return BackendError(
            "may not perform insert, delete, update operation inside a READ ONLY transaction", ora_code=1456
        )
    if "incomplete input" in message:
        return BackendError("missing expression", ora_code=936)
    if "syntax error" in message:
        return BackendError("SQL command not properly ended", ora_code=933)
    return BackendError("invalid SQL statement", ora_code=900)
