"""All that the ledger holds about one reader, read in one transaction."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence, Set
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.domain.dispute.loan_file import Dispute
from loan_reminders.domain.journal import JournalAct
from loan_reminders.domain.loans import Patron
from loan_reminders.domain.reader_rights.everything import Everything, Row
from loan_reminders.domain.recipients import EmailAddress, MobileNumber, PostalAddress
from loan_reminders.domain.stages import Channel
from loan_reminders.ledger import journal
from loan_reminders.ledger.dispute.loan_file import PostgresLoanFiles
from loan_reminders.ledger.dispute.suppressed import channel_listed_as, listed_as
from loan_reminders.ledger.journal import Transaction
from loan_reminders.ledger.json_codecs import decode_patron, encode_recipient, storable
from loan_reminders.ledger.reader_rights.catalogue import OF_READERS, OURS
from loan_reminders.ledger.reader_rights.erasure_sql import OTHERS_HAVE
from loan_reminders.ledger.readers.search import read_reader
from loan_reminders.ledger.retention.fingerprints import fingerprints, hidden
from loan_reminders.ledger.suppressions.consents import READER

_READER = text("SELECT * FROM readers WHERE library = :library AND patron_id = :patron_id")
_LOANS = text("""
    SELECT unnest(loan_ids) AS loan_id FROM notices WHERE library = :library AND patron_id = :patron_id
    UNION SELECT loan_id FROM skips WHERE library = :library AND patron_id = :patron_id
    UNION SELECT loan_id FROM loans_seen
    WHERE library = :library AND record #>> '{patron,barcode}' = :card AND :card <> '' AND patron_id = :patron_id
""")
_DELIVERIES = text("""
    SELECT delivery.delivery_id, delivery.channel, delivery.recipient
    FROM notices notice JOIN deliveries delivery USING (notice_id)
    WHERE notice.library = :library AND notice.patron_id = :patron_id
""")
_DESCRIBED = text("""
    SELECT run_id, record -> 'patron' AS patron FROM loans_seen
    WHERE library = :library AND loan_id = ANY(CAST(:loans AS text[])) AND patron_id = :patron_id
      AND NOT starts_with(loan_id, '@') ORDER BY run_id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What leads to the rows about a reader.

    `contacts` are the channels and recipients that are, or were, the reader's, as the ledger writes them; `names` what
    may stand in the place of his number.
    """

    patron: Patron | None
    loans: tuple[str, ...]
    deliveries: tuple[Any, ...]
    contacts: tuple[tuple[str, str], ...]
    names: tuple[str, ...]

    def of(self, channel: Channel) -> list[str]:
        """The recipients of a channel."""
        return [recipient for known, recipient in self.contacts if known == channel.value]


def traces(connection: Connection, library: str, reader: Any) -> Traces:
    """What leads to the rows about the reader of a row of `readers`."""
    asked = {"library": library, "patron_id": reader.patron_id, "card": reader.card}
    loans = sorted(one for one in connection.execute(_LOANS, asked).scalars() if one)
    told = connection.execute(_DELIVERIES, asked).all()
    described = [decode_patron(row.patron) for row in connection.execute(_DESCRIBED, {**asked, "loans": loans}).all()]
    contacts = {(channel_listed_as(Channel(row.channel)).value, row.recipient) for row in told}
    for patron in described:
        for contact in (patron.email, patron.mobile, patron.address):
            if isinstance(contact, EmailAddress | MobileNumber | PostalAddress):
                contacts.add((listed_as(contact).value, encode_recipient(contact)))
    contacts |= {(Channel.EMAIL.value, reader.email)} if reader.email else set()
    contacts |= {(Channel.SMS.value, reader.mobile)} if reader.mobile else set()
    ours, number = fingerprints(connection, library), reader.patron_id
    hashes = () if ours is None else (ours.of_reader(number), ours.of_recipient(READER, number))
    return Traces(
        patron=described[-1] if described else None,
        loans=tuple(loans),
        deliveries=tuple(row.delivery_id for row in told),
        contacts=tuple(sorted(contacts)),
        names=(number, *hashes),
    )


def _his(one: Dispute, patron_id: str, *, told: Set[Any]) -> Dispute:
    cycles = tuple(cycle for cycle in one.cycles if cycle.loan.patron.patron_id == patron_id)
    if len(cycles) == len(one.cycles):
        return one
    days = {cycle.loan.due_date for cycle in cycles} | {None}
    return replace(
        one,
        cycles=cycles,
        deliveries=tuple(each for each in one.deliveries if each.delivery_id in told),
        skips=tuple(each for each in one.skips if each.due_date in days),
    )


class PostgresReaderData:
    """What one library's ledger holds about a reader. Fulfils `ReaderData`."""

    def __init__(self, transaction: Transaction, *, library: str) -> None:
        self._transaction = transaction
        self._library = library

    def gather(self, patron_id: str) -> Everything | None:
        """All of it; None when the ledger does not know the reader, or no more."""
        asked = {"library": self._library, "patron_id": storable(patron_id)}
        with self._transaction() as connection:
            row = connection.execute(_READER, asked).first()
            if row is None:
                return None
            found = traces(connection, self._library, row)
            rows = self._rows(connection, row, found)
            loans = self._loans(connection, row.patron_id, found)
        return Everything(reader=read_reader(row), patron=found.patron, rows=rows, loans=loans)

    def _rows(self, connection: Connection, reader: Any, found: Traces) -> Mapping[str, Sequence[Row]]:
        places: dict[str, Any] = {
            "library": self._library,
            "patron_id": reader.patron_id,
            "channels": [channel for channel, _ in found.contacts],
            "recipients": [recipient for _, recipient in found.contacts],
        }
        # What came from a number or address that another reader has by now, and he no more, is not given to him.
        others = {(row.channel, row.recipient) for row in connection.execute(OTHERS_HAVE, places)}
        others -= {(Channel.SMS.value, reader.mobile), (Channel.EMAIL.value, reader.email)}
        his = replace(found, contacts=tuple(one for one in found.contacts if one not in others))
        asked = {
            **places,
            "loans": list(found.loans),
            "deliveries": list(found.deliveries),
            "numbers": his.of(Channel.SMS),
            "emails": his.of(Channel.EMAIL),
            **_on_the_list(connection, self._library, his.contacts),
            "contacts": [recipient for _, recipient in his.contacts],
            "names": list(found.names),
        }
        return {
            table: tuple(_given(table, row) for row in connection.execute(statement, asked).scalars())
            for table, statement in OF_READERS.items()
        }

    def _loans(self, connection: Connection, patron_id: str, found: Traces) -> Sequence[Dispute]:
        """The file of each loan; of a number that was another reader's loan too, only what is his."""
        files = PostgresLoanFiles(lambda: nullcontext(connection), library=self._library)
        told = set(found.deliveries)
        return [
            _his(one, patron_id, told=told)
            for one in (files.files(found.loans, patron_id=patron_id) if found.loans else ())
        ]

    def note_given(self, patron_id: str, *, who: str, form: str) -> None:
        """Keep in the journal that somebody was given a reader's data, and in which form."""
        with self._transaction() as connection:
            journal.keep(
                connection,
                self._library,
                who=who,
                act=JournalAct.READER_DATA_GIVEN,
                patron_id=storable(patron_id),
                facts={"form": form},
            )


def _on_the_list(connection: Connection, library: str, contacts: Sequence[tuple[str, str]]) -> Mapping[str, list[str]]:
    """How the list of suppressions may have these contacts: as they are, or by their hash."""
    names = [(channel, recipient, recipient) for channel, recipient in contacts]
    names += [(*contact, hash_) for hash_, contact in hidden(connection, library, contacts).items()]
    return {
        "channels": [channel for channel, _, _ in names],
        "recipients": [recipient for _, recipient, _ in names],
        "listed": [listed for _, _, listed in names],
    }


def _given(table: str, row: Mapping[str, Any]) -> Row:
    """A row without what is the library's own; the words of a message as they were."""
    if table == "sent_words":
        body = zlib.decompress(bytes.fromhex(str(row["body"]).removeprefix("\\x"))).decode("utf-8")
        row = {**row, "body": body}
    return {name: value for name, value in row.items() if name not in OURS}
