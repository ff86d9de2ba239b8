"""Find readers by anything that a librarian may have of them; each kind goes by an index of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from loan_reminders.domain.letters.batches import RegisteredState
from loan_reminders.domain.readers.names import is_near, trigrams, trigrams_of_misspelt, trigrams_of_part
from loan_reminders.domain.readers.reader import Reader
from loan_reminders.domain.readers.search import FoundBy, LastMessage, ReaderFound, ReaderSearch, ReadersFound
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState
from loan_reminders.ledger.json_codecs import storable

MOST_OF_ONE_KIND = 500
"""Messages or loans that are looked at for one address or document: a desk's own address is that of thousands."""
MOST_LOOKED_AT = 10_000
"""Readers among whose names words near what was typed are looked for."""
MOST_NEAR_WORDS = 20
"""Words near what was typed whose bearers are listed: more would answer nobody's question."""

_ORDER = list(FoundBy)
# Without the trigrams: they are for the index alone, and to read those of two hundred readers takes a while.
_READER = "reader_number, patron_id, card, name, name_words, email, mobile, category, branch, last_seen_on"
_OF_DELIVERY = """
    FROM deliveries delivery JOIN notices notice USING (notice_id)
    WHERE delivery.library = :library AND delivery.channel = '{channel}' AND {recipient}
    LIMIT :most
"""
_SENT_TO = "lower(left(delivery.recipient, 254)) = :email"
_READERS_FOUND = """
    SELECT reader.*, found.by FROM found JOIN readers reader
      ON reader.library = :library AND reader.patron_id = found.patron_id
"""
_OWN_NUMBERS = """
        SELECT patron_id, 'patron_id' FROM readers WHERE library = :library AND patron_id = ANY(CAST(:codes AS text[]))
        UNION
        SELECT patron_id, 'card' FROM readers
        WHERE library = :library AND card = ANY(CAST(:codes AS text[])) AND card <> ''
"""
# What holds an @ is an address, or the number of a reader where addresses are numbers; whatever holds none is no
# address: a statement for each, since to plan what cannot be found takes longer than to find what can.
_EXACT_ADDRESS = text(f"""
    WITH found (patron_id, by) AS (
        {_OWN_NUMBERS}
        UNION
        SELECT patron_id, 'email' FROM readers WHERE library = :library AND lower(email) = :email
        UNION
        (SELECT notice.patron_id, 'old_email' {_OF_DELIVERY.format(channel="email", recipient=_SENT_TO)})
    )
    {_READERS_FOUND}
""")  # noqa: S608 - the pieces are this module's own
_EXACT = text(f"""
    WITH found (patron_id, by) AS (
        {_OWN_NUMBERS}
        UNION
        SELECT patron_id, 'mobile' FROM readers
        WHERE :mobile <> '' AND library = :library AND mobile = :mobile AND mobile <> ''
        UNION
        (SELECT notice.patron_id, 'old_mobile'
         {_OF_DELIVERY.format(channel="sms", recipient="delivery.recipient = :mobile AND :mobile <> ''")})
        UNION
        (SELECT patron_id, 'item' FROM loans_seen
         WHERE library = :library AND record ->> 'item_barcode' = ANY(CAST(:codes AS text[]))
           AND record ->> 'item_barcode' <> '' LIMIT :most)
        UNION
        SELECT patron_id, 'loan' FROM loans_seen WHERE library = :library AND loan_id = ANY(CAST(:codes AS text[]))
        UNION
        SELECT notice.patron_id, 'reference'
        FROM letters letter JOIN deliveries delivery USING (delivery_id) JOIN notices notice USING (notice_id)
        WHERE letter.library = :library AND letter.reference = ANY(CAST(:codes AS text[]))
        UNION
        SELECT notice.patron_id, 'tracking_number'
        FROM registered_letters letter JOIN deliveries delivery USING (delivery_id)
        JOIN notices notice USING (notice_id)
        WHERE :tracking_number <> '' AND letter.library = :library AND letter.tracking_number = :tracking_number
    )
    {_READERS_FOUND}
""")  # noqa: S608 - the pieces are this module's own
_BY_NAME = text(f"""
    SELECT {_READER} FROM readers
    WHERE library = :library AND trigrams @> CAST(:trigrams AS text[]) AND name_words @> CAST(:words AS text[])
    LIMIT :limit
""")  # noqa: S608 - the columns are this module's own
_BY_PARTS_OF_NAME = text(f"""
    SELECT {_READER} FROM readers
    WHERE library = :library AND trigrams @> CAST(:trigrams AS text[])
      AND NOT EXISTS (
        SELECT FROM unnest(CAST(:words AS text[])) AS asked(part)
        WHERE NOT EXISTS (
            SELECT FROM unnest(name_words) AS held(word)
            WHERE CASE WHEN length(part) < 3 THEN starts_with(word, part) ELSE strpos(word, part) > 0 END
        )
      )
    LIMIT :limit
""")  # noqa: S608 - as above
_LAST_MESSAGES = text("""
    SELECT DISTINCT ON (notice.patron_id) notice.patron_id, delivery.stage, delivery.channel, delivery.state,
           delivery.redirected, delivery.claimed_at, batch.printed_at, registered.state AS registered,
           CASE registered.state WHEN 'posted' THEN registered.posted_on
                WHEN 'acknowledged' THEN registered.acknowledged_on
                WHEN 'returned' THEN registered.returned_on END AS registered_on
    FROM notices notice JOIN deliveries delivery USING (notice_id) JOIN runs run ON run.run_id = delivery.run_id
    LEFT JOIN letters letter ON letter.delivery_id = delivery.delivery_id AND letter.left_out IS NULL
    LEFT JOIN letter_batches batch ON batch.batch_id = letter.batch_id
    LEFT JOIN registered_letters registered ON registered.delivery_id = delivery.delivery_id
    WHERE notice.library = :library AND notice.patron_id = ANY(CAST(:patron_ids AS text[])) AND NOT run.dry_run
      AND delivery.state <> 'cancelled'
    ORDER BY notice.patron_id, delivery.claimed_at DESC NULLS FIRST, run.run_id DESC
""")


def find(connection: Connection, library: str, search: ReaderSearch, *, limit: int) -> ReadersFound:
    """The readers whom a search names, `limit` at most; a name is looked for when nothing else is found."""
    asked = {
        "library": library,
        "codes": [storable(code) for code in search.codes],
        "email": storable(search.email),
        "mobile": search.mobile,
        "tracking_number": search.tracking_number,
        "most": MOST_OF_ONE_KIND,
    }
    found = _gathered(connection.execute(_EXACT_ADDRESS if search.email else _EXACT, asked))
    if not found and search.words:
        return _by_name(connection, library, [storable(word) for word in search.words], limit)
    return ReadersFound(readers=found[:limit], more=len(found) > limit)


def last_messages(connection: Connection, library: str, patron_ids: Sequence[str]) -> Mapping[str, LastMessage]:
    """The last message to each of these readers, but those that were called off; whoever got none is left out."""
    rows = connection.execute(_LAST_MESSAGES, {"library": library, "patron_ids": list(patron_ids)})
    return {
        row.patron_id: LastMessage(
            stage=Stage(row.stage),
            channel=Channel(row.channel),
            state=DeliveryState(row.state),
            at=row.claimed_at,
            printed_at=row.printed_at,
            registered=None if row.registered is None else RegisteredState(row.registered),
            registered_on=row.registered_on,
            redirected=row.redirected,
        )
        for row in rows
    }


def read_reader(row: Row[Any]) -> Reader:
    """The reader of a row of `readers`."""
    return Reader(
        number=row.reader_number,
        patron_id=row.patron_id,
        card=row.card,
        name=row.name,
        email=row.email,
        mobile=row.mobile,
        category=row.category,
        branch=row.branch,
        last_seen_on=row.last_seen_on,
    )


def _gathered(rows: Iterable[Row[Any]]) -> tuple[ReaderFound, ...]:
    """Each reader once, with all the ways that led there, the surest first; who was seen last comes first."""
    ways: dict[Reader, set[FoundBy]] = defaultdict(set)
    for row in rows:
        ways[read_reader(row)].add(FoundBy(row.by))
    found = [ReaderFound(reader=reader, by=_surest_first(by)) for reader, by in ways.items()]
    return tuple(sorted(found, key=lambda one: (-one.reader.last_seen_on.toordinal(), one.reader.number)))


def _surest_first(by: set[FoundBy]) -> tuple[FoundBy, ...]:
    """The ways without those that say nothing more: a present address is an old one as well."""
    for now, once in ((FoundBy.EMAIL, FoundBy.OLD_EMAIL), (FoundBy.MOBILE, FoundBy.OLD_MOBILE)):
        if now in by:
            by = by - {once}
    return tuple(sorted(by, key=_ORDER.index))


def _by_name(connection: Connection, library: str, words: list[str], limit: int) -> ReadersFound:
    """By whole words of the name first, then by parts of them too; with mistakes only when nothing else is found."""
    asked = {"library": library, "words": words, "limit": limit + 1}
    whole = connection.execute(_BY_NAME, {**asked, "trigrams": list(trigrams(words))}).all()
    found = {row.reader_number: (row, FoundBy.NAME) for row in whole}
    if len(found) <= limit:
        held = sorted({one for word in words for one in trigrams_of_part(word)})
        for row in connection.execute(_BY_PARTS_OF_NAME, {**asked, "trigrams": held}):
            found.setdefault(row.reader_number, (row, FoundBy.PART_OF_NAME))
    if not found:
        found = {row.reader_number: (row, FoundBy.NEAR_NAME) for row in _near(connection, library, words, limit)}
    ordered = sorted(found.values(), key=lambda one: (_ORDER.index(one[1]), one[0].name_words, one[0].reader_number))
    return ReadersFound(
        readers=tuple(ReaderFound(reader=read_reader(row), by=(by,)) for row, by in ordered[:limit]),
        more=len(ordered) > limit,
    )


def _near(connection: Connection, library: str, words: Sequence[str], limit: int) -> list[Row[Any]]:
    """The readers whose names hold all words typed but one, and one that lies a mistake from that one."""
    asked = []
    for place, word in enumerate(words):
        others = {one for other in (*words[:place], *words[place + 1 :]) for one in trigrams_of_part(other)}
        near = _near_words(connection, library, word, others)
        asked += [sorted(others.union(trigrams([one]))) for one in near]
    if not asked:
        return []
    holds, values = _any_of(asked)
    statement = text(f"SELECT {_READER} FROM readers WHERE library = :library AND ({holds}) LIMIT :limit")  # noqa: S608 - names of parameters
    rows = connection.execute(statement, {"library": library, "limit": 2 * limit, **values})
    return [row for row in rows if all(_held(word, row.name_words) for word in words)]


def _near_words(connection: Connection, library: str, word: str, others: set[str]) -> list[str]:
    """The words of names that lie a mistake from this one, in names that hold these trigrams as well.

    The words alone come back, each once: thousands of readers bear some.
    """
    choices = [sorted(others.union(choice)) for choice in trigrams_of_misspelt(word)]
    if not choices:
        return []
    holds, values = _any_of(choices)
    statement = text(f"""
        SELECT DISTINCT word FROM (
            SELECT name_words FROM readers WHERE library = :library AND ({holds}) LIMIT :most
        ) AS candidates CROSS JOIN LATERAL unnest(name_words) AS held(word)
        WHERE length(word) BETWEEN :shortest AND :longest
    """)  # noqa: S608 - names of parameters
    asked = {"library": library, "most": MOST_LOOKED_AT, "shortest": len(word) - 1, "longest": len(word) + 1}
    found = connection.execute(statement, {**asked, **values}).scalars()
    return sorted(one for one in found if is_near(word, one))[:MOST_NEAR_WORDS]


def _any_of(choices: Sequence[list[str]]) -> tuple[str, dict[str, list[str]]]:
    """The condition that a name holds all trigrams of one of these choices, and its values."""
    values = {f"choice_{number}": choice for number, choice in enumerate(choices)}
    return " OR ".join(f"trigrams @> CAST(:{name} AS text[])" for name in values), values


def _held(word: str, held: Sequence[str]) -> bool:
    """Whether a name holds a word, a part of one, or one that is near."""
    return any(word in one or is_near(word, one) for one in held)
