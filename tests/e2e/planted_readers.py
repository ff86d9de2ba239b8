"""Readers of the fictional library whom one would know again: ten at most of each due day that a stage looks at."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

from sql.demo.generator import STAGE_LOANS
from sql.demo.tables import BOR_LIBRARY
from tests.scenes.unmistakable import DIGITS, MANY

REFUSED = "qxzvkw[1-3]@"
"""Addresses among them that do not exist: readers of the first due day."""
_WHO = """
    SELECT DISTINCT z36_id FROM z36 JOIN z304 ON z304_rec_key = z36_id || '01'
    WHERE z36_due_date = :due AND z36_status = 'A' AND z36_returned_date = 0 AND z36_id LIKE 'M%'
      AND z304_email_address LIKE '%@etu.example.org' AND z304_address <> ''
    ORDER BY z36_id LIMIT :many
"""
_THEIRS = (
    "UPDATE z13 SET z13_title = 'L''été Qxzvkwtitre ' || :number, z13_author = 'Qxzvkwauteur, É' WHERE z13_rec_key IN"
    " (SELECT substr(z103_rec_key_1, 6, 9) FROM z103 JOIN z36 ON substr(z103_rec_key, 6, 9) = substr(z36_rec_key, 1, 9)"
    "  WHERE z36_id = :was)",
    "UPDATE z30 SET z30_barcode = 'QXZVKWCODE' || :number || '.' || rowid, z30_call_no = 'QXZVKW ' || :number"
    " WHERE z30_rec_key IN (SELECT z36_rec_key FROM z36 WHERE z36_id = :was)",
    "UPDATE z303 SET z303_rec_key = :id, z303_name = 'Qxzvkwnom-' || :number || ', Zoé', z303_last_name ="
    " 'Qxzvkwnom-' || :number, z303_first_name = 'Zoé' WHERE z303_rec_key = :was",
    "UPDATE z304 SET z304_rec_key = :id || substr(z304_rec_key, 13), z304_address = :address, z304_email_address ="
    " CASE WHEN :with_email THEN 'qxzvkw' || :number || '@etu.example.org' ELSE '' END, z304_sms_number = :mobile,"
    " z304_telephone = '', z304_telephone_2 = '', z304_telephone_3 = '', z304_telephone_4 = ''"
    " WHERE substr(z304_rec_key, 1, 12) = :was",
    f"UPDATE z305 SET z305_rec_key = :id || '{BOR_LIBRARY}' WHERE substr(z305_rec_key, 1, 12) = :was",
    "UPDATE z308 SET z308_id = :id, z308_rec_key = CASE substr(z308_rec_key, 1, 2) WHEN '00' THEN '00' || :id ELSE"
    " '01QXZVKWCARTE' || :number END WHERE z308_id = :was",
    "UPDATE z36 SET z36_id = :id, z36_loan_date = :lent WHERE z36_id = :was",
)


def plant(library: Path, *, today: date) -> None:
    """Give ten readers of each stage's due day names, numbers, addresses and loans as `unmistakable` writes them."""
    with closing(sqlite3.connect(library)) as connection, connection:
        each, number = MANY // len(STAGE_LOANS), 0
        for days in STAGE_LOANS:
            due = today + timedelta(days=days)
            for (was,) in connection.execute(_WHO, {"due": _number(due), "many": each}).fetchall():
                number += 1
                values = {
                    "was": was,
                    "lent": _number(due - timedelta(days=28)),  # long enough for an SMS
                    "number": number,
                    "id": f"QXZVKWID{number}".ljust(12),
                    "with_email": number % 4 != 0,
                    "mobile": f"0{DIGITS}{number:02d}",
                    "address": _address(f"QXZVKWNOM ZOE {number}", f"{number} RUE QXZVKW", "06000 NICE"),
                }
                for statement in _THEIRS:
                    connection.execute(statement, values)


def _number(day: date) -> int:
    return int(f"{day:%Y%m%d}")


def _address(*lines: str) -> str:
    """Lines of 200 characters, as Aleph packs them."""
    return "".join(line.ljust(200) for line in (*lines, "", ""))
