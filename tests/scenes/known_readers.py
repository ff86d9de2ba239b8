"""Readers as the ledger knows them, for the tests of what is said about them."""

from __future__ import annotations

from loan_reminders.ledger.repository import PostgresLedger
from tests.scenes.ledger_runs import rows


def a_reader(
    ledger: PostgresLedger,
    patron_id: str = "P1",
    *,
    name: str = "Camille Martin",
    card: str = "2100000000017",
    mobile: str = "33639980001",
    email: str = "camille.martin@etu.example.fr",
    branch: str = "SJA",
) -> int:
    """A reader last seen in November 2026; returns the number that stands in addresses."""
    [[number]] = rows(
        ledger,
        "INSERT INTO readers (library, patron_id, card, name, mobile, email, branch, last_seen_on)"
        " VALUES (:library, :patron_id, :card, :name, :mobile, :email, :branch, '2026-11-20')"
        " ON CONFLICT (library, patron_id) DO UPDATE SET card = :card, name = :name, mobile = :mobile, email = :email,"
        " branch = :branch RETURNING reader_number",
        library=ledger.library, patron_id=patron_id, card=card, name=name, mobile=mobile, email=email, branch=branch,
    )  # fmt: skip
    return int(number)
