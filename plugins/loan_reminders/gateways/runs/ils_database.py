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
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

from loan_reminders.domain.errors import IlsRejected, IlsUnavailable
from loan_reminders.gateways.runs.binds import refuse_several
from loan_reminders.gateways.runs.text_bytes import TextReader

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
class Executed:
    """A statement as the driver runs it: its columns, what fetches the next rows, and what ends it before its end."""

    columns: Sequence[str]
    fetchmany: Callable[[], Sequence[Sequence[Any]]]
    close: Callable[[], object]


class IlsSession(Protocol):
    """One connection inside one read-only transaction. After an error nothing more can be asked of it."""

    @property
    def server_version(self) -> str:
        """As the server tells it: `10.11.19-MariaDB`, `15.18`. Behind a test server or a proxy it may not be true."""
        ...

    def execute(self, sql: str, binds: Mapping[str, object] = NO_BINDS) -> Answer:
        """Run one statement with a value for each bind `:name` that it names, and no other.

        The answer before it ends there. Raises IlsUnavailable or IlsRejected, as does the answer's `fetchmany`.
        """
        ...


class ReadableIls(Protocol):
    """Whatever gives such sessions."""

    def session(self) -> AbstractContextManager[IlsSession]:
        """One connection and one read-only transaction, always rolled back and closed."""
        ...


class IlsDatabase(ABC):
    """One database of an ILS, connected to only when a session is asked for.

    Subclasses are the engines: they open, prepare and ask, and let the driver's errors through.
    """

    engine: Engine

    @contextmanager
    def session(self) -> Iterator[IlsSession]:
        """One connection and one read-only transaction, always rolled back and closed.

        Raises IlsUnavailable or IlsRejected.
        """
        connection = self.guarded(CONNECTING, self._connect)
        session = _Session(database=self, connection=connection)
        try:
            self.guarded(ASKING, self._prepare, connection, session.text)
            session.server_version = self.guarded(ASKING, self._version, connection)
            yield session
        finally:
            # nothing was written: a broken connection that cannot be rolled back or closed loses nothing
            for end in (session.end_answer, connection.rollback, connection.close):
                with suppress(*self._driver_errors(), OSError):
                    end()
            session.text.tell()

    @abstractmethod
    def _connect(self) -> Any:
        """Open a connection of the driver."""

    @abstractmethod
    def _prepare(self, connection: Any, text: TextReader) -> None:
        """Begin one read-only transaction; set time-out, zone and the session's name."""

    @abstractmethod
    def _version(self, connection: Any) -> str:
        """The server's version, without asking anything of it."""

    @abstractmethod
    def execute(self, connection: Any, sql: str, binds: Mapping[str, object]) -> Executed:
        """Run a statement, by the driver."""

    @abstractmethod
    def _driver_errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises."""

    @abstractmethod
    def _error(self, error: Exception, doing: str) -> IlsUnavailable | IlsRejected:
        """The project's error for one of the driver's, or for an OSError of the network."""

    def guarded(self, doing: str, call: Callable[..., Any], *arguments: object) -> Any:
        """Call the driver; its errors become the project's, without the original, whose text may quote data."""
        expected: tuple[type[Exception], ...] = (*self._driver_errors(), OSError)
        try:
            return call(*arguments)
        except expected as error:
            raise self._error(error, doing) from None


@dataclass(slots=True, kw_only=True)
class _Session:
    database: IlsDatabase
    connection: Any
    text: TextReader = field(default_factory=TextReader)
    server_version: str = ""
    running: Executed | None = None

    def execute(self, sql: str, binds: Mapping[str, object] = NO_BINDS) -> Answer:
        refuse_several(sql)
        self.database.guarded(ASKING, self.end_answer)
        running: Executed = self.database.guarded(ASKING, self.database.execute, self.connection, sql, binds)
        self.running = running

        def fetchmany() -> Sequence[Sequence[Any]]:
            return self.text.rows(self.database.guarded(READING, running.fetchmany))

        return Answer(columns=tuple(name.lower() for name in running.columns), fetchmany=fetchmany)

    def end_answer(self) -> None:
        running, self.running = self.running, None
        if running is not None:
            running.close()
