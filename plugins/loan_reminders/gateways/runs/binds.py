"""The binds of a statement: `:name`, outside quotes and comments, whatever the database."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from loan_reminders.domain.errors import IlsRejected
from loan_reminders.domain.runs.extraction import loan_key_and_number

LOANS_AT_ONCE = (1, 8, 64)
"""How many loans one question about the present may be about."""
OF_A_LOAN = ("loan_key", "loan_number", "loan_key_as_number")
"""The binds by which a question about the present names a loan: the two halves of its id, and the first as a number."""
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_QUOTED_COMMENT_OR_BIND = re.compile(
    r"""'(?:[^']|'')*'|"[^"]*"|`[^`]*`|--[^\n]*|/\*.*?\*/|(?<!:):([A-Za-z]\w*)""", re.DOTALL
)


def bind_names(sql: str) -> frozenset[str]:
    """The binds a statement names, in lower case; those in quotes and comments do not count.

    PostgreSQL's `::type` is none either.
    """
    return frozenset(match[1].lower() for match in _QUOTED_COMMENT_OR_BIND.finditer(sql) if match[1])


def with_binds_written(sql: str, write: Callable[[str], str]) -> str:
    """The statement with `write(name)` in place of each bind; names come in lower case."""
    return _QUOTED_COMMENT_OR_BIND.sub(lambda found: write(found[1].lower()) if found[1] else found[0], sql)


def refuse_several(sql: str) -> None:
    """Raises IlsRejected when a text is more than one statement: a second one could end the read-only transaction."""
    bare = _QUOTED_COMMENT_OR_BIND.sub(" ", sql)
    if bare.rstrip("; \t\r\n").count(";"):
        raise IlsRejected(
            "La requête du SIGB contient plusieurs instructions (un point-virgule les sépare) : une seule, un SELECT,"
            " est permise. Corriger le fichier de sql/, puis relancer la tâche."
        )


def values_named(sql: str, offered: Mapping[str, object]) -> dict[str, object]:
    """The value of each bind that the statement names, and no other: Oracle's driver refuses unused ones.

    Raises IlsRejected naming the binds without a value.
    """
    named = bind_names(sql)
    without_value = sorted(named - offered.keys())
    if without_value:
        raise IlsRejected(
            f"La requête du SIGB a des binds sans valeur : {', '.join(without_value)}."
            " Corriger le fichier de sql/, ou ils.binds dans library.toml, puis relancer la tâche."
        )
    return {name: offered[name] for name in named}


def together(now_sql: str, loan_ids: Sequence[str]) -> tuple[str, dict[str, object]]:
    """One statement that asks `now_sql` about several loans, and its binds; each row has a loan's place and its date.

    The statement stays the site's own, each time with binds of its own names. It comes in a few lengths only, so that
    the server keeps its plans: places beyond the last loan ask about NULL, which no database takes for a loan, or for
    a number that cannot be read. So is the number of a key that is none, from before a library changed its system.
    """
    size = next(size for size in LOANS_AT_ONCE if size >= len(loan_ids))
    offered: dict[str, object] = {}
    for place in range(size):
        key, number = loan_key_and_number(loan_ids[place]) if place < len(loan_ids) else (None, None)
        as_number = int(key) if key is not None and _NUMBER.fullmatch(key) else None
        offered |= {f"{name}_{place}": value for name, value in zip(OF_A_LOAN, (key, number, as_number), strict=True)}
    parts = [
        f"SELECT {place} AS place, loan_now.* FROM (\n{_numbered(now_sql, place)}\n) loan_now"  # noqa: S608 - the site's own
        for place in range(size)
    ]
    return "\nUNION ALL\n".join(parts), offered


def _numbered(now_sql: str, place: int) -> str:
    return with_binds_written(now_sql, lambda name: f":{name}_{place}" if name in OF_A_LOAN else f":{name}")


def percent_binds(sql: str) -> str:
    """The statement as the drivers of PostgreSQL and MariaDB want it: `%(name)s` for a bind, `%%` for a per cent sign.

    Both look for them in quotes and comments too, so every other `%` is doubled.
    """
    return _QUOTED_COMMENT_OR_BIND.sub(
        lambda found: f"%({found[1].lower()})s" if found[1] else found[0], sql.replace("%", "%%")
    )
