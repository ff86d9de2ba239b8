"""Close a run: count its books and refuse to be green when they do not balance."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from loan_reminders.domain.errors import BooksDoNotBalance, TasksNotDone
from loan_reminders.domain.ports.outside import Ledger
from loan_reminders.domain.runs.books import Books
from loan_reminders.french.runs import books_words, imbalance_words

log = logging.getLogger(__name__)


def close_run(
    ledger: Ledger, *, run_id: int, not_done: Sequence[str] = (), tell: Callable[[Books], None] = lambda _: None
) -> Books:
    """Count, keep and log the books of a run, whatever became of its tasks.

    `not_done` names the tasks that did not succeed; `tell` is told the books as soon as they are written.

    Raises TasksNotDone when a task did not succeed, with what the books say; else BooksDoNotBalance naming what is
    neither done nor explained.
    """
    books = ledger.close_run(run_id)
    tell(books)
    for line in books_words(books):
        log.info("%s", line)
    problems = books.problems()
    unbalanced = "Les comptes ne sont pas justes : " + " ; ".join(map(imbalance_words, problems))
    if not_done:
        said = unbalanced if problems else "Les comptes sont justes, et ils sont au registre"
        raise TasksNotDone(
            f"{said}. Tâches qui n'ont pas abouti : {', '.join(not_done)}."
            " Lire leur journal, réparer, puis les effacer."
        )
    if problems:
        raise BooksDoNotBalance(unbalanced)
    return books
