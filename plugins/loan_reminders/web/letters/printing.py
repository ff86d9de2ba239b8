"""Print a batch: ask the ILS meanwhile, give the file, and give it again to whoever lost it.

The batch is called printed by the request that gives its file, so that none is without one. Before, the ILS may have to
be asked, which takes as long as it takes: a thread does that, says in the ledger how far it is, and gives the batch
back to its page. Whoever waits a moment gets the file at once; whoever left finds the answer on the page.
"""

from __future__ import annotations

import threading
from contextvars import copy_context
from typing import Annotated

from fastapi import APIRouter, Form, Response

from loan_reminders.domain.errors import ReminderError
from loan_reminders.domain.letters.batches import BatchState
from loan_reminders.domain.letters.print_checks import CheckState
from loan_reminders.services.letters import print_checks
from loan_reminders.services.letters.batch_desk import BatchDesk
from loan_reminders.web import ledger_access
from loan_reminders.web.access import Librarian
from loan_reminders.web.guard import ActRoute
from loan_reminders.web.letters.at_desk import batch_desk
from loan_reminders.web.letters.batch_page import batch_page, refused
from loan_reminders.web.letters.batches import BatchId
from loan_reminders.web.marks.held import check_may_leave, mark_left
from loan_reminders.web.page import At, Page, Typed, download

WAIT_S = 2.0
"""Seconds that a librarian waits for the ILS before the page tells how far it is."""

router = APIRouter(route_class=ActRoute)


@router.post("/lots/{batch_id}/impression")
def print_batch(
    at: At,
    batch_id: BatchId,
    who: Librarian,
    confirme: Annotated[Typed, Form(max_length=3)] = "",
    pour: Annotated[Typed, Form(max_length=20)] = "imprimante",
) -> Response:
    """The clean file of a batch, once; the same again for ten minutes; before, the page says what is left out of it."""
    try:
        desk = batch_desk()
        if desk.batch(batch_id).state is BatchState.PRINTED:
            file = desk.give_again(batch_id, who=who)
            return download(file.name, file.media_type, file.content)
        check_may_leave()
        if desk.must_ask(batch_id) and (page := _asked(at, desk, batch_id, who=who, confirmed=confirme == "oui")):
            return page
        # What was held, say, since the librarian read the page is told first: once, as it is left out by that.
        left_out = desk.leave_out_unwanted(batch_id, who=who)
        if not left_out.silent:
            return batch_page(at, batch_id, who=who, left_out=left_out)
        file = desk.hand_over(batch_id, who=who, to_provider=pour == "prestataire")
        mark_left()
    except ReminderError as error:
        return refused(at, error, batch_id, who=who)
    return download(file.name, file.media_type, file.content)


def _asked(at: Page, desk: BatchDesk, batch_id: int, *, who: str, confirmed: bool) -> Response | None:
    """Nothing once the ILS has answered and the librarian knows what; until then, a page."""
    checks = ledger_access.print_checks()
    check = checks.check(batch_id)
    if check is None or not check.is_good(desk.now, who=who):
        key = print_checks.begin(desk, checks, batch_id, who=who)
        if key is None:
            return at.to(f"lots/{batch_id}")
        work = threading.Thread(
            target=copy_context().run,
            args=(print_checks.ask, desk, checks, key, batch_id),
            kwargs={"who": who},
            daemon=True,
        )
        work.start()
        work.join(WAIT_S)
        check = checks.check(batch_id)
    if check is None or check.state is CheckState.RUNNING:
        return at.to(f"lots/{batch_id}")
    if check.state is CheckState.FAILED:
        return batch_page(at, batch_id, who=who, status=503)
    if print_checks.answer(check).silent or confirmed:
        return None
    return batch_page(at, batch_id, who=who)
