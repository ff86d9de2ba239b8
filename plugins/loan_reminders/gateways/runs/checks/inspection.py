"""The questions that are the same for every engine, and the frame of those that are not."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from loan_reminders.domain.errors import IlsRejected
from loan_reminders.domain.ports.ils_check import Account, WholeRead
from loan_reminders.gateways.runs.binds import together, values_named
from loan_reminders.gateways.runs.ils_database import NO_BINDS, IlsDatabase, IlsSession
from loan_reminders.gateways.runs.loan_source import days_offered

Rows = list[dict[str, Any]]

NEVER = date(1900, 1, 1)
"""A day on which nothing is due."""

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_READ_FROM = re.compile(
    r"\b(?:FROM|JOIN)\s+(?!LATERAL\b|ONLY\b)([A-Za-z_][\w$#]*(?:\.[A-Za-z_][\w$#]*){0,2})(?![\w$#.]|\s*\()",
    re.IGNORECASE,
)
_NAMED_BEFORE = re.compile(r"(?:\bWITH|,)\s*([A-Za-z_]\w*)\s+AS\s*\(", re.IGNORECASE)


class Inspection(ABC):
    """One database and the two statements that are to be run on it; fulfils `IlsInspection`."""

    def __init__(self, database: IlsDatabase, *, sql: str, now_sql: str, binds: Mapping[str, str | int]) -> None:
        self._database = database
        self._sql = sql
        self._now_sql = now_sql
        self._binds = {name.lower(): value for name, value in binds.items()}

    def version(self) -> str:
        """The engine and its version, once a session is open."""
        with self._database.session() as session:
            return session.server_version

    @abstractmethod
    def account(self) -> Account:
        """The account that reads."""

    @abstractmethod
    def could_write(self) -> Sequence[str]:
        """What the account could change; empty when it can only read."""

    def tables(self) -> Sequence[str]:
        """The tables and views that the two statements read, each once, in their order."""
        found: dict[str, str] = {}
        for sql in (self._sql, self._now_sql):
            text = _COMMENT.sub(" ", sql)
            ours = {name.lower() for name in _NAMED_BEFORE.findall(text)}
            for name in _READ_FROM.findall(text):
                if name.lower() not in ours:
                    found.setdefault(name.lower(), name)
        return tuple(found.values())

    def refused_tables(self) -> Mapping[str, IlsRejected]:
        """Nothing is read of any table; after one that is refused the rest is asked in a new session."""
        waiting, refused = list(self.tables()), {}
        while waiting:
            try:
                with self._database.session() as session:
                    while waiting:
                        all_rows(session, f"SELECT 1 AS one FROM {waiting[0]} WHERE 1 = 0")  # noqa: S608 - a name of the site's own
                        del waiting[0]
            except IlsRejected as error:
                refused[waiting.pop(0)] = error
        return refused

    def columns(self) -> Sequence[str]:
        """The columns that `loans_due.sql` returns."""
        with self._database.session() as session:
            return session.execute(self._sql, self._values(NEVER, NEVER)).columns

    def ask_about_no_loan(self) -> None:
        """Run `loan_now.sql` as it is run before sending, for a loan that there is not."""
        statement, offered = together(self._now_sql, [""])
        with self._database.session() as session:
            all_rows(session, statement, values_named(statement, {**self._binds, **offered}))

    @abstractmethod
    def whole_reads(self, due_date: date, *, today: date) -> Sequence[WholeRead]:
        """What the plan of `loans_due.sql` reads whole."""

    def _values(self, due_date: date, today: date) -> dict[str, object]:
        return values_named(self._sql, {**self._binds, **days_offered(due_date, today)})

    def _ask(self, sql: str, binds: Mapping[str, object] = NO_BINDS) -> Rows:
        """The rows of a question of ours, in a session of its own."""
        with self._database.session() as session:
            return all_rows(session, sql, binds)

    def _ask_each(self, *questions: str) -> list[Rows]:
        """The rows of several questions, in one session."""
        with self._database.session() as session:
            return [all_rows(session, question) for question in questions]


def all_rows(session: IlsSession, sql: str, binds: Mapping[str, object] = NO_BINDS) -> Rows:
    """Every row of one statement, each by the names of its columns."""
    answer = session.execute(sql, binds)
    found: Rows = []
    while rows := answer.fetchmany():
        found += [dict(zip(answer.columns, row, strict=True)) for row in rows]
    return found
