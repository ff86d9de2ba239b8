"""A large library system, made by its own database out of a row of numbers: no row passes through Python.

Loans 1 to `many` are due on one day and the next `few` on another; all others lie on three hundred later days. A reader
has two loans in a row, so that a day's 20,000 loans are those of 10,000 readers.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sql.demo.systems.tables import create, statements
from sql.demo.tables import SCHEMA

if TYPE_CHECKING:
    from tests.simulators.mariadb import MariaDb

TITLES = 5_000
LENGTH = timedelta(days=28)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many loans are open, of how many readers, and how many of them are due on the two days that are read."""

    loans: int
    readers: int
    many: int
    few: int


def days(today: date) -> tuple[date, date, date]:
    """The day of the many, the day of the few, and the first of all others."""
    return today + timedelta(days=2), today - timedelta(days=1), today + timedelta(days=5)


def fill_aleph(path: Path, size: Size, today: date) -> None:
    """The tables of the stand-in, in an SQLite file."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        made = statements(SCHEMA)
        tables = [statement for statement in made if statement.startswith("CREATE TABLE")]
        for statement in tables:
            connection.execute(statement)
        many, few, others = days(today)
        numbers = {"loans": size.loans, "readers": size.readers, "many": size.many, "few": size.few, "titles": TITLES}
        connection.execute("CREATE TEMP TABLE n (i INTEGER PRIMARY KEY)")
        connection.execute(
            "INSERT INTO n WITH RECURSIVE m (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM m WHERE i < ?)"
            " SELECT i FROM m",
            (max(size.loans, size.readers),),
        )
        connection.execute("CREATE TEMP TABLE later (k INTEGER PRIMARY KEY, ymd INTEGER)")
        connection.executemany(
            "INSERT INTO later VALUES (?, ?)", [(k, _ymd(others + timedelta(days=k))) for k in range(300)]
        )
        connection.execute("BEGIN")
        named = {**numbers, "due_many": _ymd(many), "due_few": _ymd(few), "lent": _ymd(many - LENGTH)}
        for statement in _ALEPH:
            connection.execute(statement, named)
        for statement in made:
            if statement not in tables:
                connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
    finally:
        connection.close()


def _ymd(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


_ALEPH = (
    """
    INSERT INTO z36 (z36_rec_key, z36_id, z36_number, z36_sub_library, z36_status, z36_loan_date, z36_due_date,
                     z36_returned_date, z36_item_status, z36_bor_status, z36_no_renewal)
    SELECT printf('%09d%06d', 400001 + i % :titles, i / :titles + 1),
           printf('M%07d    ', i / 2 % :readers + 1), i, 'BULET', 'A', :lent,
           CASE WHEN i <= :many THEN :due_many WHEN i <= :many + :few THEN :due_few ELSE ymd END,
           0, '01', '01', i % 3
      FROM n JOIN later ON k = i % 300 WHERE i <= :loans
    """,
    """
    INSERT INTO z30 (z30_rec_key, z30_barcode, z30_call_no, z30_description, z30_item_status, z30_price)
    SELECT printf('%09d%06d', 400001 + i % :titles, i / :titles + 1), printf('3%011d', i),
           '$$h843.914 $$i' || substr('ABCDEFGHIJ', i % 8 + 1, 3), CASE WHEN i % 12 = 0 THEN 't. 2' ELSE '' END, '01',
           '25,00 EUR '
      FROM n WHERE i <= :loans
    """,
    """
    INSERT INTO z13 (z13_rec_key, z13_title, z13_author)
    SELECT printf('%09d', i), 'Introduction à la botanique, ' || i || 'e leçon', 'Personne, Paul ' || i
      FROM n WHERE i <= :titles
    """,
    """
    INSERT INTO z103 (z103_rec_key, z103_rec_key_1)
    SELECT printf('UNS50%09d0001', 400000 + i), printf('UNS01%09d0000', i) FROM n WHERE i <= :titles
    """,
    """
    INSERT INTO z303 (z303_rec_key, z303_con_lng, z303_name, z303_last_name, z303_first_name, z303_home_library)
    SELECT printf('M%07d    ', i), 'FRE', 'Lecteur' || i || ', Camille', 'Lecteur' || i, 'Camille', 'BULET'
      FROM n WHERE i <= :readers
    """,
    """
    INSERT INTO z304 (z304_rec_key, z304_address, z304_zip, z304_email_address, z304_telephone, z304_sms_number,
                      z304_date_from, z304_date_to, z304_address_type)
    SELECT printf('M%07d    01', i),
           printf('%-200s%-200s%-200s%-200s%-200s', 'Lecteur' || i || ' Camille', i % 120 + 1 || ' rue des Platanes',
                  '34999 MONTCLAR', '', ''),
           '34999', 'camille.lecteur' || i || '@etu.example.org', '04 65 71 00 00',
           printf('06 00 00 %02d %02d', i / 100 % 100, i % 100), 19990101, 99991231, 1
      FROM n WHERE i <= :readers
    """,
    """
    INSERT INTO z305 (z305_rec_key, z305_bor_status, z305_bor_type, z305_expiry_date)
    SELECT printf('M%07d    ALEPH', i), '01', 'ET', 20290930 FROM n WHERE i <= :readers
    """,
    """
    INSERT INTO z308 (z308_rec_key, z308_id, z308_status)
    SELECT printf('%02d%-20s', kind, printf('2%09d', i)), printf('M%07d    ', i), 'AC'
      FROM n JOIN (SELECT 0 AS kind UNION SELECT 1) WHERE i <= :readers
    """,
)


def fill_koha(server: MariaDb, size: Size, today: date) -> str:
    """The tables of Koha in a database of their own; its name."""
    name = server.create_database("large", options="CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    many, few, others = days(today)
    named = {
        "readers": size.readers, "many": size.many, "few": size.few, "titles": TITLES, "due_many": many,
        "due_few": few, "others": others, "lent": many - LENGTH,
    }  # fmt: skip
    with server.connect(name) as connection, connection.cursor() as cursor:
        create(connection, "koha")
        for setting in ("unique_checks", "foreign_key_checks"):
            cursor.execute(f"SET SESSION {setting} = 0")
        for statement, rows in _KOHA:
            count = {"loans": size.loans, "readers": size.readers, "titles": TITLES, "one": 1}[rows]
            cursor.execute(statement.replace("NUMBERS", f"seq_1_to_{count}"), named)
        cursor.execute("ANALYZE TABLE issues, borrowers, items, biblio, biblioitems, categories, return_claims")
    return name


_KOHA = (
    ("INSERT INTO categories SELECT 'ETU', 1 FROM NUMBERS", "one"),
    (
        """
        INSERT INTO biblio (biblionumber, title, author)
        SELECT seq, CONCAT('Introduction à la botanique, ', seq, 'e leçon'), CONCAT('Personne, Paul ', seq) FROM NUMBERS
        """,
        "titles",
    ),
    ("INSERT INTO biblioitems (biblioitemnumber, biblionumber) SELECT seq, seq FROM NUMBERS", "titles"),
    (
        """
        INSERT INTO borrowers (borrowernumber, cardnumber, surname, firstname, address, city, zipcode, email,
                               smsalertnumber, phone, categorycode, branchcode)
        SELECT seq, CONCAT('2', LPAD(seq, 9, '0')), CONCAT('Lecteur', seq), 'Camille',
               CONCAT(seq MOD 120 + 1, ' rue des Platanes'), 'MONTCLAR', '34999',
               CONCAT('camille.lecteur', seq, '@etu.example.org'),
               CONCAT('06 00 00 ', LPAD(seq DIV 100 MOD 100, 2, '0'), ' ', LPAD(seq MOD 100, 2, '0')),
               '04 65 71 00 00', 'ETU', 'BULET'
          FROM NUMBERS
        """,
        "readers",
    ),
    (
        """
        INSERT INTO items (itemnumber, biblionumber, biblioitemnumber, barcode, itemcallnumber, homebranch,
                           holdingbranch, replacementprice, enumchron, itype)
        SELECT seq, seq MOD %(titles)s + 1, seq MOD %(titles)s + 1, CONCAT('3', LPAD(seq, 11, '0')), '843.914 PRO',
               'BULET', 'BULET', 25, IF(seq MOD 12 = 0, 't. 2', NULL), 'LIVRE'
          FROM NUMBERS
        """,
        "loans",
    ),
    (
        """
        INSERT INTO issues (issue_id, borrowernumber, itemnumber, date_due, branchcode, renewals_count, issuedate)
        SELECT seq, seq DIV 2 MOD %(readers)s + 1, seq,
               TIMESTAMP(CASE WHEN seq <= %(many)s THEN %(due_many)s WHEN seq <= %(many)s + %(few)s THEN %(due_few)s
                              ELSE DATE_ADD(%(others)s, INTERVAL seq MOD 300 DAY) END, '23:59:00'),
               'BULET', seq MOD 3, TIMESTAMP(%(lent)s, '10:00:00')
          FROM NUMBERS
        """,
        "loans",
    ),
)
