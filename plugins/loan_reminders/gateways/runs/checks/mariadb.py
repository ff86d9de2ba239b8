"""What MariaDB and MySQL say of the account and of the plan. Source: MariaDB documentation, GRANT and EXPLAIN."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from loan_reminders.domain.ports.ils_check import Account, WholeRead
from loan_reminders.gateways.runs.checks.inspection import Inspection

_GRANT = re.compile(r"GRANT (.+?) ON (\S+) TO ")
_PRIVILEGE = re.compile(r"([A-Z][A-Z ]*[A-Z])(?: \([^)]*\))?")
_HARMLESS = frozenset(
    {"USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES", "PROCESS", "REPLICATION CLIENT", "BINLOG MONITOR"}
)
_ALIAS = re.compile(r"\b(?:FROM|JOIN)\s+([\w.]+)(?:\s+AS)?\s+(\w+)", re.IGNORECASE)
_WHOLE = frozenset({"ALL", "index"})


class MariaDbInspection(Inspection):
    """MariaDB asked about itself; MySQL answers to the same."""

    def version(self) -> str:
        """The version that the server tells when the session is opened."""
        version = super().version()
        return f"MariaDB {version}" if "mariadb" in version.lower() else f"MySQL {version}"

    def account(self) -> Account:
        """The account that the server took us for; when its password expires is not for it to know."""
        (row,) = self._ask("SELECT CURRENT_USER() AS account")
        return Account(name=row["account"])

    def could_write(self) -> Sequence[str]:
        """SHOW GRANTS: every privilege that is not to read."""
        found = []
        for row in self._ask("SHOW GRANTS"):
            (grant,) = row.values()  # it may hold the hash of a password, and is shown nowhere
            if told := _GRANT.match(grant):
                privileges, where = told.groups()
                names = [name.strip() for name in _PRIVILEGE.findall(privileges)]
                found += [f"{name} sur {where.replace('`', '')}" for name in names if name not in _HARMLESS]
        return tuple(found)

    def whole_reads(self, due_date: date, *, today: date) -> Sequence[WholeRead]:
        """EXPLAIN, which runs nothing: tables and indexes read from one end to the other."""
        names = {alias.lower(): table for table, alias in _ALIAS.findall(self._sql)}
        found: dict[str, int | None] = {}
        for row in self._ask(f"EXPLAIN {self._sql}", self._values(due_date, today)):
            table = str(row["table"] or "<>")
            if row["type"] in _WHOLE and not table.startswith("<"):
                found[names.get(table.lower(), table)] = None if row["rows"] is None else int(row["rows"])
        return tuple(WholeRead(table=table, rows=rows) for table, rows in found.items())
