"""The ledger's side of the removal: a page a transaction, counted with its day, undone in a rehearsal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from sqlalchemy import Connection, text

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.ports.retention import Place
from loan_reminders.domain.retention.terms import Removed, Terms, Told
from loan_reminders.ledger import journal
from loan_reminders.ledger.json_codecs import storable
from loan_reminders.ledger.removal import aged, batches, choices, loans, readers
from loan_reminders.ledger.retention.fingerprints import make_fingerprints

LOANS_AT_A_TIME, ROWS_AT_A_TIME, RUNS_AT_A_TIME = 200, 500, 20
"""So many that a transaction lasts well below a second: whoever waits for one of its rows hardly notices."""

ALL_ROWS = 10_000_000
"""A rehearsal finds the same rows again: it counts them all at once."""
_UNDONE: Mapping[str, object] = {}

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('reminders retention ' || :library, 0))")
_PATIENCE = text("SET LOCAL lock_timeout = '10s'")
_COUNTS = tuple(Removed().counts())
# A row that was told is never added to: what comes after it is another's, or another passage's.
_COUNT = text(f"""
    INSERT INTO erasures AS known (library, day, who, {", ".join(_COUNTS)})
    VALUES (:library, :day, :who, {", ".join(f":{name}" for name in _COUNTS)})
    ON CONFLICT (library, day, who) WHERE told_at IS NULL DO UPDATE SET at = now(),
        {", ".join(f"{name} = known.{name} + excluded.{name}" for name in _COUNTS)}
""")  # noqa: S608 - the names are this program's own
_TELL = text("""
    UPDATE erasures SET told_at = now() WHERE library = :library AND told_at IS NULL RETURNING *
""")

LOANS, NEVER_ASKED, RUNS, READERS, CONTACTS, CHOICES, JOURNAL = (
    "loans", "never_asked", "runs", "readers", "contacts", "choices", "journal",
)  # fmt: skip


def alone(connection: Connection, library: str) -> None:
    """Be the only one who removes something of the library, until the transaction ends; wait ten seconds at most."""
    connection.execute(_PATIENCE)
    connection.execute(_ONE_AT_A_TIME, {"library": library})


class PostgresRetention:
    """The removal in one library's ledger. Fulfils `Retention`."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library
        answers = {f"answers {kind}": partial(self._answers, kind) for kind in range(aged.ANSWERS)}
        self._steps: Mapping[str, Callable[[Connection, Terms, Place], tuple[Removed, Place]]] = {
            LOANS: partial(self._loans, True),
            NEVER_ASKED: partial(self._loans, False),
            RUNS: self._runs,
            **answers,
            READERS: self._readers,
            CONTACTS: self._contacts,
            CHOICES: self._choices,
            JOURNAL: self._journal,
        }

    @property
    def kinds(self) -> Sequence[str]:
        """What is removed, in this order: readers after their loans, the contacts of nobody after the readers."""
        return tuple(self._steps)

    def remove(self, kind: str, terms: Terms, *, after: Place, rehearse: bool, who: str) -> tuple[Removed, Place]:
        """Remove the next page of one kind, or only find out what it would be; it is counted with its day and `who`."""
        with self._alone() as connection, connection.begin_nested() as undone:
            make_fingerprints(connection, self._library)
            removed, next_page = self._steps[kind](connection, terms, after or (_UNDONE if rehearse else None))
            if rehearse:
                undone.rollback()
            else:
                self._count(connection, terms, removed, who)
        return removed, next_page

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        with self._transaction() as connection:
            alone(connection, self._library)
            yield connection

    def _count(self, connection: Connection, terms: Terms, removed: Removed, who: str) -> None:
        if removed != Removed():
            asked = {"library": self._library, "day": terms.today, "who": storable(who)}
            connection.execute(_COUNT, {**asked, **removed.counts()})

    def _loans(self, ended: bool, connection: Connection, terms: Terms, after: Place) -> tuple[Removed, Place]:
        page = loans.remove_page(connection, self._library, terms, ended=ended, after=after, page=LOANS_AT_A_TIME)
        return page.removed, page.after

    def _runs(self, connection: Connection, terms: Terms, after: Place) -> tuple[Removed, Place]:
        rows, place = aged.remove_of_runs(connection, self._library, terms, after=after, page=RUNS_AT_A_TIME)
        return Removed(others=rows), place

    def _answers(self, kind: int, connection: Connection, terms: Terms, after: Place) -> tuple[Removed, Place]:
        page = ALL_ROWS if after is _UNDONE else ROWS_AT_A_TIME
        rows = aged.remove_answers(connection, self._library, terms, kind=kind, page=page)
        return Removed(others=rows), {"again": True} if rows == page else None

    def _readers(self, connection: Connection, terms: Terms, after: Place) -> tuple[Removed, Place]:
        gone, place = readers.remove_readers(connection, self._library, terms, after=after, page=ROWS_AT_A_TIME)
        return Removed(readers=gone), place

    def _contacts(self, connection: Connection, terms: Terms, after: Place) -> tuple[Removed, Place]:
        hidden, place = readers.hide_contacts(connection, self._library, terms, after=after, page=ROWS_AT_A_TIME)
        return Removed(contacts=hidden), place

    def _choices(self, connection: Connection, terms: Terms, after: Place) -> tuple[Removed, Place]:
        page, until = ALL_ROWS if after is _UNDONE else ROWS_AT_A_TIME, terms.readers_until
        unseen = choices.forget_never_seen(connection, self._library, readers_until=until, page=page)
        numbers = choices.forget_old_numbers(connection, self._library, readers_until=until)
        return Removed(contacts=unseen + numbers), {"again": True} if unseen == page else None

    def _journal(self, connection: Connection, terms: Terms, after: Place) -> tuple[Removed, Place]:
        lines, place = aged.forget_journal(connection, self._library, terms, after=after, page=10 * ROWS_AT_A_TIME)
        return Removed(others=lines), place

    def empty_batches(self, terms: Terms, *, after: int) -> Sequence[tuple[int, str]]:
        """The next batches of which no letter is left: their number and the folder of their files."""
        with self._transaction() as connection:
            found = batches.empty_batches(connection, self._library, terms, after=after, page=ROWS_AT_A_TIME)
        return tuple((one.batch_id, one.name) for one in found)

    def forget_batch(self, batch_id: int, terms: Terms, *, who: str) -> None:
        """Remove the rows of a batch whose files are gone, and count it."""
        with self._alone() as connection:
            batches.forget_batch(connection, self._library, batch_id)
            self._count(connection, terms, Removed(batches=1), who)

    def unknown_folders(self, terms: Terms, runs: Mapping[str, int]) -> Sequence[str]:
        """Those of these folders, each with the number of its run, old and of no batch, or of an abandoned draft."""
        with self._transaction() as connection:
            return batches.unknown_folders(connection, self._library, terms, runs)

    def count_folder(self, terms: Terms, *, who: str) -> None:
        """Count such a folder that was removed."""
        with self._transaction() as connection:
            self._count(connection, terms, Removed(folders=1), who)

    def tell(self) -> Sequence[Told]:
        """Write what was removed, and not told yet, to the journal: a line a day and person, each told once."""
        told = []
        with self._alone() as connection:
            for row in connection.execute(_TELL, {"library": self._library}).all():
                removed = Removed(**{name: getattr(row, name) for name in _COUNTS})
                facts = {"day": row.day.isoformat(), **removed.counts()}
                journal.keep(connection, self._library, who=row.who, act=JournalAct.DATA_ERASED, facts=facts)
                told.append(Told(day=row.day, who=row.who, removed=removed))
        return sorted(told, key=lambda one: (one.day, one.who))
