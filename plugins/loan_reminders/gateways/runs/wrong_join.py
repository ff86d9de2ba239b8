"""Rows that a wrong join multiplied: who is told of what, and how often, would hang on them, so nobody is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

from loan_reminders.domain.errors import IlsRejected
from loan_reminders.french.plurals import many

ROWS_OF_ONE_LOAN = 10
"""So many rows of one loan are no slip of the ILS, which may well hold a loan twice."""
LOANS_THAT_REPEAT, THEIR_SHARE = 20, 0.1
"""Nor are so many loans in several rows, when they are also this share of the day's."""
ENOUGH = 10_000
"""Rows too many after which the rest is not read any more."""
_LOANS_NAMED = 5

_Row = TypeVar("_Row")


def unless_a_join_is_wrong(rows: Iterable[_Row], id_of: Callable[[_Row], str]) -> Generator[_Row]:
    """The rows as they come; at the end, or when it is enough, IlsRejected naming the loans of a wrong join.

    A few loans that come again stop nobody: each row after the first is set aside by whoever keeps them. Rows without
    a key, which are set aside as well, are not of one loan.
    """
    seen: set[str] = set()
    again: Counter[str] = Counter()
    too_many = 0
    for row in rows:
        yield row
        loan_id = id_of(row)
        if loan_id and loan_id in seen:
            again[loan_id] += 1
            too_many += 1
            if too_many == ENOUGH:
                break
        seen.add(loan_id)
    if _is_wrong(again, of=len(seen)):
        raise IlsRejected(_told(again, at_least="au moins " if too_many == ENOUGH else ""))


def _is_wrong(again: Counter[str], *, of: int) -> bool:
    if not again:
        return False
    [(_, most)] = again.most_common(1)
    return most >= ROWS_OF_ONE_LOAN or len(again) >= max(LOANS_THAT_REPEAT, THEIR_SHARE * of)


def _told(again: Counter[str], *, at_least: str) -> str:
    named = [f"{loan_id} ({at_least}{1 + more} lignes)" for loan_id, more in again.most_common(_LOANS_NAMED)]
    if others := len(again) - len(named):
        named.append(f"et {at_least}{many(others, 'autre prêt', 'autres prêts')}")
    return (
        f"La requête du SIGB rend plusieurs lignes pour un même prêt : {', '.join(named)}."
        " Aucun avis n'est préparé. Corriger la jointure de loans_due.sql, puis relancer la tâche."
    )
