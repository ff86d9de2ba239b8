"""What the sources of loans ask of a database of the ILS, whatever its engine: one session that reads and cannot write.

    with database.session() as session:
        answer = session.execute("SELECT … WHERE x = :x", {"x": 1})
        while rows := answer.fetchmany(): …

Errors of the driver come out as the project's: IlsUnavailable (later) or IlsRejected (mend something first), told with
the database's code and in French, without the driver's text, which may quote data.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from loan_reminders.domain.errors import RETRIED, IlsRejected, IlsUnavailable

MODULE = "loan_reminders"
"""What a session calls itself in the server's list of sessions."""
ACTION = "loans_due"
CONNECTING, ASKING, READING = "Connexion au SIGB", "Requête au SIGB", "Lecture du SIGB"
NO_BINDS: Mapping[str, object] = MappingProxyType({})


class Engine(StrEnum):
    """The kinds of database that can be read. MySQL counts as MariaDB, which it is spoken to like."""

    ORACLE = "oracle"
    POSTGRESQL = "postgresql"
    MARIADB = "mariadb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The rows of one statement.

    `columns` are their names in lower case; `fetchmany` gives the next rows, and none at the end.
    Text is `str` and never bytes, whatever encoding the database holds it in.
    """

    columns: tuple[str, ...]
    fetchmany: Callable[[], Sequence[Sequence[Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class IlsSession:
    """One connection inside one read-only transaction. After an error nothing more can be asked of it."""

    server_version: str
    """As the server tells it: `10.11.19-MariaDB`, `15.18`. Behind a test server or a proxy it may not be true."""
    execute: Callable[[str, Mapping[str, object]], Answer]
    """Run one statement with a value for each bind `:name` that it names, and no other."""


class IlsDatabase(ABC):
    """One database of an ILS, connected to only when a session is asked for.

    Subclasses are the engines: they open, prepare and ask, and let the driver's errors through.
    """

    engine: Engine

    @contextmanager
    def session(self) -> Iterator[IlsSession]:
        """One connection and one read-only transaction, always rolled back and closed.

        Raises IlsUnavailable or IlsRejected, as do the session's `execute` and its answer's `fetchmany`.
        """
        connection = self._guarded(CONNECTING, self._connect)
        try:
            self._guarded(ASKING, self._prepare, connection)

            def execute(sql: str, binds: Mapping[str, object] = NO_BINDS) -> Answer:
                columns, fetchmany = self._guarded(ASKING, self._execute, connection, sql, binds)
                return Answer(
                    columns=tuple(name.lower() for name in columns),
                    fetchmany=lambda: self._guarded(READING, fetchmany),
                )

            yield IlsSession(server_version=self._guarded(ASKING, self._version, connection), execute=execute)
        finally:
            # nothing was written: a broken connection that cannot be rolled back or closed loses nothing
            for end in (self._roll_back, self._close):
                with suppress(*self._driver_errors(), OSError):
                    end(connection)

    @abstractmethod
    def _connect(self) -> Any:
        """Open a connection of the driver."""

    @abstractmethod
    def _prepare(self, connection: Any) -> None:
        """Begin one read-only transaction; set time-out, zone and the session's name."""

    @abstractmethod
    def _version(self, connection: Any) -> str:
        """The server's version, without asking anything of it."""

    @abstractmethod
    def _execute(
        self, connection: Any, sql: str, binds: Mapping[str, object]
    ) -> tuple[Sequence[str], Callable[[], Sequence[Sequence[Any]]]]:
        """Run a statement; gives its columns and what fetches the next rows."""

    @abstractmethod
    def _driver_errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises."""

    @abstractmethod
    def _error(self, error: Exception, doing: str) -> IlsUnavailable | IlsRejected:
        """The project's error for one of the driver's."""

    @staticmethod
    def _roll_back(connection: Any) -> None:
        connection.rollback()

    @staticmethod
    def _close(connection: Any) -> None:
        connection.close()

    def _guarded(self, doing: str, call: Callable[..., Any], *arguments: object) -> Any:
        """Call the driver; its errors become the project's, without the original, whose text may quote data."""
        try:
            return call(*arguments)
        except self._driver_errors() as error:
            raise self._error(error, doing) from None
        except OSError as error:
            raise IlsUnavailable(f"{doing} : {type(error).__name__}. {RETRIED}") from None
