"""The list of readers who said yes or no to SMS: what holds now; the journal keeps every change.

A reader is named by the number that the ILS gives him, so that the list holds whatever card or mobile he has. A no
cancels the SMS that wait for him, in the same transaction. When a reader is removed, his yes goes with him; of a no a
keyed hash stays, so that it is heard should he come back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.loans import SmsChoice
from loan_reminders.domain.sms.choices import (
    ChoiceFile,
    ChoiceLine,
    ChoiceSource,
    ImportDone,
    LineFault,
    ReaderColumn,
)
from loan_reminders.domain.stages import PatronCategory
from loan_reminders.domain.suppressions.suppression import HIDDEN
from loan_reminders.ledger import journal
from loan_reminders.ledger.json_codecs import storable
from loan_reminders.ledger.retention.fingerprints import hidden

READER = "reader"
"""What stands in a hash for the channel, where a reader is hidden and not a contact."""
LINES_AT_ONCE = 500

_CHOICES = text("""
    SELECT said.patron_id, said.choice FROM unnest(CAST(:patron_id AS text[])) AS asked(patron_id) CROSS JOIN LATERAL (
        SELECT patron_id, choice FROM sms_choices
        WHERE library = :library AND patron_id = asked.patron_id OFFSET 0
    ) AS said
""")
_NOTE = text("""
    INSERT INTO sms_choices AS known (library, patron_id, choice, source, who)
    SELECT :library, asked.patron_id, asked.choice, :source, :who
    FROM unnest(CAST(:patron_id AS text[]), CAST(:choice AS text[])) AS asked(patron_id, choice)
    ORDER BY asked.patron_id COLLATE "C"
    ON CONFLICT (library, patron_id) DO UPDATE SET
        choice = excluded.choice, source = excluded.source, who = excluded.who, at = now()
    WHERE known.choice <> excluded.choice
    RETURNING patron_id, choice
""")
# Who is known by a hash alone and says something anew is known by name again.
_FOUND_AGAIN = text("DELETE FROM sms_choices WHERE library = :library AND patron_id = ANY(CAST(:hashes AS text[]))")
_JOURNAL = text("""
    INSERT INTO journal (library, who, act, patron_id, facts)
    SELECT :library, :who, :act, asked.patron_id, jsonb_build_object('choice', asked.choice)
    FROM unnest(CAST(:patron_id AS text[]), CAST(:choice AS text[])) AS asked(patron_id, choice)
""")
_CANCEL = text("""
    WITH cancelled AS (
        UPDATE deliveries SET state = 'cancelled', reason = 'opted_out', answered_at = now()
        WHERE library = :library AND channel = 'sms' AND state = 'planned' AND notice_id = ANY(ARRAY(
            SELECT notice_id FROM notices WHERE library = :library AND patron_id = ANY(CAST(:patron_id AS text[]))
        ))
        RETURNING delivery_id
    )
    INSERT INTO receipts (library, delivery_id, state, reason, applied)
    SELECT :library, delivery_id, 'cancelled', 'opted_out', true FROM cancelled
    RETURNING receipt_id
""")
# For whoever begins to send: what was said while the run was being planned counts, too.
_CANCEL_OF_RUN = text("""
    WITH cancelled AS (
        UPDATE deliveries delivery SET state = 'cancelled', reason = 'opted_out', answered_at = now()
        FROM notices notice JOIN sms_choices said
          ON said.library = notice.library AND said.patron_id = notice.patron_id AND said.choice = 'no'
        WHERE delivery.library = :library AND delivery.run_id = :run_id AND delivery.channel = 'sms'
          AND delivery.state = 'planned' AND notice.notice_id = delivery.notice_id
        RETURNING delivery.delivery_id
    )
    INSERT INTO receipts (library, delivery_id, state, reason, applied)
    SELECT :library, delivery_id, 'cancelled', 'opted_out', true FROM cancelled
    RETURNING receipt_id
""")
_REMOVE = text("""
    DELETE FROM sms_choices WHERE library = :library AND choice_id = :choice_id RETURNING patron_id, choice
""")
_CATEGORY = text("SELECT category FROM readers WHERE library = :library AND patron_id = :patron_id")
_BY_CARD = text("""
    SELECT card, min(patron_id) AS patron_id, count(*) AS readers FROM readers
    WHERE library = :library AND card = ANY(CAST(:cards AS text[])) AND card <> '' GROUP BY card
""")
_BY_NUMBER = text("SELECT patron_id FROM readers WHERE library = :library AND patron_id = :patron_id")
_LIST = """
    SELECT said.*, reader.reader_number, reader.name, reader.card FROM (
        SELECT * FROM sms_choices
        WHERE library = :library AND (CAST(:choice AS text) IS NULL OR choice = :choice)
          AND (CAST(:patron_id AS text) IS NULL OR patron_id = :patron_id)
        ORDER BY at {way}, choice_id {way} LIMIT :limit OFFSET :offset
    ) AS said
    LEFT JOIN readers reader ON reader.library = said.library AND reader.patron_id = said.patron_id
    ORDER BY said.at {way}, said.choice_id {way}
"""
_LISTED = {oldest: text(_LIST.format(way="ASC" if oldest else "DESC")) for oldest in (True, False)}
_COUNTS = text("SELECT choice, count(*) AS number FROM sms_choices WHERE library = :library GROUP BY choice")


def choices_of(connection: Connection, library: str, patron_ids: Sequence[str]) -> Mapping[str, SmsChoice]:
    """What those of these readers who are on the list said, those known by a hash alone too."""
    if not patron_ids:
        return {}
    names = {hashed: one for hashed, (_, one) in hidden(connection, library, _as_readers(patron_ids)).items()}
    asked = {"library": library, "patron_id": [*patron_ids, *names]}
    return {
        names.get(row.patron_id, row.patron_id): SmsChoice(row.choice) for row in connection.execute(_CHOICES, asked)
    }


def _as_readers(patron_ids: Sequence[str]) -> list[tuple[str, str]]:
    return [(READER, one) for one in patron_ids]


def cancel_refused(connection: Connection, library: str, run_id: int) -> int:
    """Cancel the SMS of a run that wait for readers who said no; returns how many."""
    return len(connection.execute(_CANCEL_OF_RUN, {"library": library, "run_id": run_id}).all())


class PostgresSmsChoices:
    """The list of one library. A reader is found by card or number; what changes is in the journal."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def lines(
        self,
        *,
        choice: SmsChoice | None = None,
        patron_id: str | None = None,
        oldest_first: bool = False,
        limit: int,
        offset: int = 0,
    ) -> Sequence[ChoiceLine]:
        """The newest lines first unless told otherwise, those of one choice or of one reader where that is asked."""
        asked = {
            "library": self._library,
            "choice": None if choice is None else choice.value,
            "patron_id": None if patron_id is None else storable(patron_id),
            "limit": limit,
            "offset": offset,
        }
        with self._transaction() as connection:
            return tuple(_line(row) for row in connection.execute(_LISTED[oldest_first], asked))

    def counts(self) -> Mapping[SmsChoice, int]:
        """How many said yes, and how many no."""
        with self._transaction() as connection:
            found = {row.choice: row.number for row in connection.execute(_COUNTS, {"library": self._library})}
        return {choice: int(found.get(choice.value, 0)) for choice in SmsChoice}

    def reader(self, typed: str) -> str | LineFault:
        """The reader with a card, or with the number that the ILS gives him; a fault for nobody and for several."""
        with self._transaction() as connection:
            by_card = self._by_card(connection, [storable(typed)]).get(storable(typed))
            if by_card is not None:
                return by_card
            asked = {"library": self._library, "patron_id": storable(typed)}
            return connection.execute(_BY_NUMBER, asked).scalar() or LineFault.UNKNOWN_CARD

    def note(self, patron_id: str, choice: SmsChoice, *, who: str) -> bool:
        """Keep what a reader said; False when the list says so already."""
        with self._transaction() as connection:
            return bool(self._note(connection, {patron_id: choice}, who=who, source=ChoiceSource.LIBRARIAN))

    def remove(self, choice_id: int, *, who: str, opt_in: Collection[PatronCategory] = ()) -> bool:
        """Take a reader off the list; False when he is not on it.

        `opt_in` are the populations that get no SMS without a yes: with the yes of one of them goes what waits for him.
        """
        with self._transaction() as connection:
            row = connection.execute(_REMOVE, {"library": self._library, "choice_id": choice_id}).first()
            if row is None:
                return False
            asked = {"library": self._library, "patron_id": row.patron_id}
            category = connection.execute(_CATEGORY, asked).scalar()
            if row.choice == SmsChoice.YES and category in opt_in:
                connection.execute(_CANCEL, {"library": self._library, "patron_id": [row.patron_id]})
            hides = row.patron_id.startswith(HIDDEN)
            journal.keep(
                connection,
                self._library,
                who=who,
                act=JournalAct.SMS_CHOICE_REMOVED,
                patron_id="" if hides else row.patron_id,
                facts={"choice": row.choice},
            )
            return True

    def take(self, file: ChoiceFile, *, who: str) -> ImportDone:
        """Take the lines of a file, all in one transaction; taken again, it changes nothing.

        A reader named by his number need not be known to the ledger; one named by his card must be.
        """
        faults = dict(file.faults)
        with self._transaction() as connection:
            wanted: dict[str, SmsChoice] = {}
            for line, named in self._named(connection, file):
                if isinstance(named, LineFault):
                    faults[line] = named
                else:
                    wanted[named[0]] = named[1]
            changed = self._note(connection, wanted, who=who, source=ChoiceSource.IMPORT)
            facts = {"changed": changed, "same": len(wanted) - changed, "left_out": len(faults)}
            act = JournalAct.SMS_CHOICES_IMPORTED
            journal.keep(connection, self._library, who=who, act=act, facts=facts)
        return ImportDone(changed=changed, same=len(wanted) - changed, faults=dict(sorted(faults.items())))

    def _named(self, connection: Connection, file: ChoiceFile) -> list[tuple[int, tuple[str, SmsChoice] | LineFault]]:
        if file.column is ReaderColumn.READER:
            return [(line.number, (line.reader, line.choice)) for line in file.lines]
        known = self._by_card(connection, [line.reader for line in file.lines])
        found: list[tuple[int, tuple[str, SmsChoice] | LineFault]] = []
        for line in file.lines:
            whose = known.get(line.reader, LineFault.UNKNOWN_CARD)
            found.append((line.number, whose if isinstance(whose, LineFault) else (whose, line.choice)))
        return found

    def _by_card(self, connection: Connection, cards: Sequence[str]) -> Mapping[str, str | LineFault]:
        rows = connection.execute(_BY_CARD, {"library": self._library, "cards": list(cards)})
        return {row.card: row.patron_id if row.readers == 1 else LineFault.SHARED_CARD for row in rows}

    def _note(self, connection: Connection, said: Mapping[str, SmsChoice], *, who: str, source: ChoiceSource) -> int:
        """Write what these readers said; how many lines are new or other than before."""
        changed: list[Row[Any]] = []
        entries = sorted(said.items())
        for start in range(0, len(entries), LINES_AT_ONCE):
            some = dict(entries[start : start + LINES_AT_ONCE])
            changed += self._note_some(connection, some, who=who, source=source)
        return len(changed)

    def _note_some(
        self, connection: Connection, said: Mapping[str, SmsChoice], *, who: str, source: ChoiceSource
    ) -> Sequence[Row[Any]]:
        hashes = list(hidden(connection, self._library, _as_readers(list(said))))
        if hashes:
            connection.execute(_FOUND_AGAIN, {"library": self._library, "hashes": hashes})
        asked = {
            "library": self._library,
            "patron_id": [storable(one) for one in said],
            "choice": [choice.value for choice in said.values()],
            "source": source.value,
            "who": storable(who),
        }
        changed = connection.execute(_NOTE, asked).all()
        noted = {
            "library": self._library,
            "who": storable(who),
            "act": JournalAct.SMS_CHOICE_NOTED.value,
            "patron_id": [row.patron_id for row in changed],
            "choice": [row.choice for row in changed],
        }
        if changed:
            connection.execute(_JOURNAL, noted)
        refusing = [row.patron_id for row in changed if row.choice == SmsChoice.NO]
        if refusing:
            connection.execute(_CANCEL, {"library": self._library, "patron_id": refusing})
        return changed


def _line(row: Row[Any]) -> ChoiceLine:
    forgotten = row.patron_id.startswith(HIDDEN)
    return ChoiceLine(
        choice_id=row.choice_id,
        patron_id="" if forgotten else row.patron_id,
        choice=SmsChoice(row.choice),
        source=ChoiceSource(row.source),
        who=row.who,
        at=row.at,
        reader_number=row.reader_number,
        name=row.name or "",
        card=row.card or "",
        forgotten=forgotten,
    )
