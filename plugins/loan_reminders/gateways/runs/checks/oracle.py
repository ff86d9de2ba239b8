"""What Oracle says of the account and of the plan. Source: Oracle Database Reference, static data dictionary views."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from loan_reminders.domain.ports.ils_check import Account, WholeRead
from loan_reminders.gateways.runs.binds import with_binds_written
from loan_reminders.gateways.runs.checks.inspection import Inspection, all_rows

_HARMLESS = frozenset({"CREATE SESSION", "ALTER SESSION", "SET CONTAINER", "SELECT ANY DICTIONARY"})
"""System privileges that let nobody change a table."""

_SYSTEM = "SELECT privilege FROM session_privs ORDER BY privilege"
_OWN = "SELECT table_name FROM user_tables ORDER BY table_name"
_GRANTED = """
SELECT privilege, owner, table_name
  FROM (SELECT privilege, owner, table_name FROM all_tab_privs_recd
        UNION
        SELECT privilege, owner, table_name FROM all_col_privs_recd) granted
 WHERE privilege IN ('INSERT', 'UPDATE', 'DELETE', 'ALTER', 'INDEX', 'REFERENCES', 'EXECUTE')
   AND owner NOT IN ('SYS', 'SYSTEM', 'XDB', 'MDSYS', 'CTXSYS', 'WMSYS', 'ORDSYS', 'ORDDATA', 'ORDPLUGINS', 'OLAPSYS',
                     'LBACSYS', 'DVSYS', 'DBSNMP', 'OUTLN', 'GSMADMIN_INTERNAL', 'OJVMSYS', 'AUDSYS', 'EXFSYS',
                     'FLOWS_FILES')
   AND owner NOT LIKE 'APEX%'
 ORDER BY owner, table_name, privilege
"""
"""PUBLIC may write to some tables that Oracle brings along, on every database: its own accounts are left out."""

_EXPLAIN = "EXPLAIN PLAN SET STATEMENT_ID = 'loan_reminders' FOR "
_STEPS = """
SELECT operation, options, object_owner, object_name
  FROM plan_table
 WHERE statement_id = 'loan_reminders'
 ORDER BY id
"""
_SIZE = "SELECT num_rows FROM all_tables WHERE owner = :table_owner AND table_name = :table_name"


class OracleInspection(Inspection):
    """Oracle asked about itself, by views that every account may read."""

    def version(self) -> str:
        """The version that the server tells when the session is opened."""
        return f"Oracle {super().version()}"

    def account(self) -> Account:
        """USER_USERS is about the account itself."""
        (row,) = self._ask("SELECT username, expiry_date FROM user_users")
        expires = row["expiry_date"]
        return Account(name=row["username"], expires=expires.date() if isinstance(expires, datetime) else None)

    def could_write(self) -> Sequence[str]:
        """System privileges, directly or through roles; privileges on tables and columns; tables of its own."""
        system, granted, own = self._ask_each(_SYSTEM, _GRANTED, _OWN)
        names = [row["privilege"] for row in system]
        found = [f"le droit {name}" for name in names if name not in _HARMLESS and not name.startswith("SELECT")]
        found += [f"{row['privilege']} sur {row['owner']}.{row['table_name']}" for row in granted]
        return tuple(found + [f"la table {row['table_name']}, qui lui appartient" for row in own])

    def whole_reads(self, due_date: date, *, today: date) -> Sequence[WholeRead]:
        """EXPLAIN PLAN, which writes to a table of the session's own: the read-only transaction is ended for it.

        Values stand in the text, since a plan is made without binds; nothing is run, and all is rolled back.
        """
        values = self._values(due_date, today)
        explained = with_binds_written(self._sql, lambda name: _literal(values[name]))
        with self._database.session() as session:
            session.execute("ROLLBACK", {})
            session.execute(_EXPLAIN + explained, {})
            found: dict[str, int | None] = {}
            for step in all_rows(session, _STEPS):
                if "ACCESS" in step["operation"] and "FULL" in (step["options"] or ""):
                    named = {"table_owner": step["object_owner"], "table_name": step["object_name"]}
                    sizes = all_rows(session, _SIZE, named)
                    found[step["object_name"]] = sizes[0]["num_rows"] if sizes else None
        return tuple(WholeRead(table=table, rows=rows) for table, rows in found.items())


def _literal(value: object) -> str:
    if isinstance(value, datetime):
        return f"DATE '{value:%Y-%m-%d}'"  # the days offered are midnights
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"
