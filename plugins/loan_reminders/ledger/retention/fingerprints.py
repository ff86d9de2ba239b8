"""Keyed hashes of what is not kept any more: a loan cycle that was told, a number or address not to be written to.

HMAC-SHA-256 (RFC 2104) with a key of the library's own, 32 random bytes made at the first removal. The key lies in the
ledger beside the hashes, not in a setting: hashes whose key is lost tell nothing, and every removed cycle could be told
again; so both are saved and restored together. Without the key nobody can find out by trying; with the whole ledger one
could only learn that a loan number one knows already was told once, not whose loan it was, of which document, or what
was said. The library code is part of what is hashed.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from loan_reminders.domain.notices import LoanKey
from loan_reminders.domain.suppressions.suppression import HIDDEN as HIDDEN

KEY_BYTES = 32

_STATE = text("SELECT key, latest_due_date, hides_contacts FROM retention_state WHERE library = :library")
_MAKE = text("""
    INSERT INTO retention_state (library, key) VALUES (:library, :key) ON CONFLICT (library) DO NOTHING
""")
_KNOWN = text("SELECT hash FROM erased_cycles WHERE library = :library AND hash = ANY(CAST(:hashes AS bytea[]))")
_KEEP = text("""
    INSERT INTO erased_cycles (library, hash) SELECT :library, hash FROM unnest(CAST(:hashes AS bytea[])) AS one(hash)
    ON CONFLICT DO NOTHING
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprints:
    """The hashes of one library."""

    library: str
    key: bytes
    latest_due_date: date | None = None
    hides_contacts: bool = False

    def of_cycle(self, cycle: LoanKey) -> bytes:
        """The hash of a loan in one cycle."""
        return self._hash("loan", cycle.loan_id, cycle.due_date.isoformat())

    def of_recipient(self, channel: str, recipient: str) -> str:
        """What stands in the place of a number or address."""
        return f"{HIDDEN}{self._hash('recipient', channel, recipient).hex()}"

    def of_reader(self, patron_id: str) -> str:
        """What stands in the place of the number of a reader who is gone."""
        return f"{HIDDEN}{self._hash('reader', patron_id).hex()}"

    def _hash(self, *parts: str) -> bytes:
        # NUL stands in no text of the ledger: no two different lists are the same bytes.
        return hmac.digest(self.key, "\0".join((self.library, *parts)).encode(), "sha256")


def fingerprints(connection: Connection, library: str) -> Fingerprints | None:
    """The hashes of a library, None when nothing was ever removed."""
    row = connection.execute(_STATE, {"library": library}).first()
    if row is None:
        return None
    return Fingerprints(
        library=library,
        key=bytes(row.key),
        latest_due_date=row.latest_due_date,
        hides_contacts=row.hides_contacts,
    )


def make_fingerprints(connection: Connection, library: str) -> Fingerprints:
    """The hashes of a library; its key is made when there is none."""
    connection.execute(_MAKE, {"library": library, "key": secrets.token_bytes(KEY_BYTES)})
    made = fingerprints(connection, library)
    if made is None:
        raise RuntimeError("the key that was just made is not there")
    return made


def keep_cycles(connection: Connection, ours: Fingerprints, cycles: Iterable[LoanKey]) -> None:
    """Keep the hashes of cycles, each once."""
    hashes = sorted({ours.of_cycle(cycle) for cycle in cycles})
    connection.execute(_KEEP, {"library": ours.library, "hashes": hashes})


def erased(connection: Connection, library: str, cycles: Sequence[LoanKey]) -> frozenset[LoanKey]:
    """Those of these cycles that were told, or seen, and then removed. They are never told again.

    A due date later than that of every removed cycle is not looked for: a day's ordinary run asks one row.
    """
    ours = fingerprints(connection, library) if cycles else None
    if ours is None or ours.latest_due_date is None:
        return frozenset()
    latest = ours.latest_due_date
    hashes = {ours.of_cycle(cycle): cycle for cycle in cycles if cycle.due_date <= latest}
    if not hashes:
        return frozenset()
    found = connection.execute(_KNOWN, {"library": library, "hashes": list(hashes)}).scalars()
    return frozenset(hashes[bytes(one)] for one in found)


def hidden(
    connection: Connection, library: str, recipients: Iterable[tuple[str, str]]
) -> Mapping[str, tuple[str, str]]:
    """What may stand in the place of these recipients, each a channel and what the ledger writes; {} when none does."""
    asked = list(recipients)
    ours = fingerprints(connection, library) if asked else None
    if ours is None or not ours.hides_contacts:
        return {}
    return {ours.of_recipient(channel, recipient): (channel, recipient) for channel, recipient in asked}
