"""Readers kept as the loans of a run describe them, page by page of its rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.domain.loans import Loan
from loan_reminders.domain.readers.names import name_words, trigrams
from loan_reminders.domain.states import Refusal
from loan_reminders.ledger.json_codecs import storable

_FIELDS = "patron_id text, card text, name text, email text, mobile text, category text, branch text"
# Most readers of a page are known and unchanged: they are written again but once a week, to say that they are there.
_CHANGED = text(f"""
    SELECT came.patron_id FROM jsonb_to_recordset(CAST(:readers AS jsonb)) AS came({_FIELDS})
    LEFT JOIN readers known ON known.library = :library AND known.patron_id = came.patron_id
    WHERE known.patron_id IS NULL OR known.last_seen_on <= CAST(:today AS date) - 7
       OR (known.card, known.name, known.email, known.mobile, known.category, known.branch)
          IS DISTINCT FROM (came.card, came.name, came.email, came.mobile, came.category, came.branch)
""")  # noqa: S608 - the piece is this module's own
# In the order of their ids, so that two runs that write the same readers wait for each other and never both at once.
_KEEP = text(f"""
    INSERT INTO readers (library, patron_id, card, name, name_words, trigrams, email, mobile, category, branch,
        last_seen_on)
    SELECT :library, patron_id, card, name, name_words, trigrams, email, mobile, category, branch, :today
    FROM jsonb_to_recordset(CAST(:readers AS jsonb)) AS came({_FIELDS}, name_words text[], trigrams text[])
    ORDER BY patron_id COLLATE "C"
    ON CONFLICT (library, patron_id) DO UPDATE
    SET card = excluded.card, name = excluded.name, name_words = excluded.name_words, trigrams = excluded.trigrams,
        email = excluded.email, mobile = excluded.mobile, category = excluded.category, branch = excluded.branch,
        last_seen_on = excluded.last_seen_on
    WHERE readers.last_seen_on <= excluded.last_seen_on
""")  # noqa: S608 - the piece is this module's own


def remember(connection: Connection, library: str, loans: Sequence[Loan], *, today: date) -> None:
    """Keep the readers of these loans as seen on a day, those that are new, changed, or not written for a week."""
    came = {loan.patron.patron_id: loan for loan in loans}
    known = [_described(loan) for loan in came.values()]
    changed = set(connection.execute(_CHANGED, _asked(library, known, today)).scalars())
    told = [{**reader, **searched(reader["name"])} for reader in known if reader["patron_id"] in changed]
    if told:
        connection.execute(_KEEP, _asked(library, told, today))


def _asked(library: str, readers: Sequence[Mapping[str, Any]], today: date) -> dict[str, Any]:
    return {"library": library, "readers": json.dumps(readers), "today": today}


def _described(loan: Loan) -> dict[str, str]:
    patron = loan.patron
    return {
        "patron_id": storable(patron.patron_id),
        "card": storable(patron.barcode),
        "name": storable(patron.name),
        "email": "" if isinstance(patron.email, Refusal) else patron.email.value,
        "mobile": "" if isinstance(patron.mobile, Refusal) else patron.mobile.value,
        "category": patron.category.value,
        "branch": storable(loan.branch),
    }


def searched(name: str) -> dict[str, Any]:
    """What a name is searched by."""
    words = name_words(name)
    return {"name_words": words, "trigrams": trigrams(words)}
