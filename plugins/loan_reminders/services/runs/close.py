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

    Raises BooksDoNotBalance naming what is neither done nor explained, and TasksNotDone when the books balance and a
    task failed all the same.
    """
    books = ledger.close_run(run_id)
    tell(books)
    for line in books_words(books):
        log.info("%s", line)
    tasks = f"Tâches qui n'ont pas abouti : {', '.join(not_done)}. Lire leur journal, réparer, puis les effacer."
    problems = books.problems()
    if problems:
        said = "Les comptes ne sont pas justes : " + " ; ".join(map(imbalance_words, problems))
        raise BooksDoNotBalance(f"{said}. {tasks}" if not_done else said)
    if not_done:
        raise TasksNotDone(f"Les comptes sont justes, et ils sont au registre. {tasks}")
    return books
