"""The books of a run, counted in the database."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, TextClause, func, select, text, update

from loan_reminders.domain.errors import BooksNotCounted, LedgerRefusal
from loan_reminders.domain.runs.books import Books
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState
from loan_reminders.ledger.json_codecs import encode_books
from loan_reminders.ledger.retention.removed_books import with_removed
from loan_reminders.ledger.runs.readings import reading_refused
from loan_reminders.ledger.runs.taking_over import NOT_ARRIVED
from loan_reminders.ledger.statistics.counting import refuse_erased
from loan_reminders.ledger.tables import RunState, deliveries, runs

# A loan is in a notice when this run planned a delivery for it, or adopted one; a delivery that a later run
# adopted still explains the loan here.
_IN_NOTICES = """
    SELECT found.loan_id, found.due_date FROM (
        SELECT claim.loan_id, claim.due_date
        FROM deliveries delivery JOIN delivery_loans claim USING (delivery_id)
        WHERE delivery.run_id = :run_id
        UNION
        SELECT claim.loan_id, claim.due_date
        FROM notices notice JOIN deliveries delivery USING (notice_id) JOIN delivery_loans claim USING (delivery_id)
        WHERE notice.run_id = :run_id
    ) AS found
    JOIN loans_seen seen ON seen.run_id = :run_id AND seen.loan_id = found.loan_id AND seen.due_date = found.due_date
"""
_LOANS_IN_NOTICES = text(f"SELECT count(*) FROM ({_IN_NOTICES}) AS found")  # noqa: S608 - the query is this module's own
# What this run adopted and a third one adopted from it is in the notice of neither: a delivery that changed runs.
_PASSED_ON = text(f"""
    SELECT count(*) FROM (
        SELECT loan_id, due_date FROM loans_seen WHERE run_id = :run_id
        EXCEPT
        SELECT loan_id, due_date FROM skips
        WHERE run_id = :run_id AND slot IS NULL AND reason <> 'duplicate_row'
        EXCEPT
        ({_IN_NOTICES})
    ) AS lost
    JOIN loans_seen seen ON seen.run_id = :run_id AND seen.loan_id = lost.loan_id AND seen.due_date = lost.due_date
    JOIN runs run ON run.run_id = :run_id
    WHERE EXISTS (
        SELECT FROM notices notice JOIN deliveries delivery USING (notice_id)
        WHERE notice.library = run.library AND notice.patron_id = seen.patron_id AND notice.stage = run.stage
          AND notice.due_date = seen.due_date AND seen.loan_id = ANY(notice.loan_ids)
          AND delivery.run_id <> notice.run_id
    )
""")  # noqa: S608 - the query is this module's own
_SKIPPED = text("SELECT reason, count(*) AS number FROM skips WHERE run_id = :run_id AND slot IS NULL GROUP BY reason")
_SLOTS_SKIPPED = text("""
    SELECT slot_skip.reason, count(*) AS number FROM skips slot_skip
    WHERE slot_skip.run_id = :run_id AND slot_skip.slot IS NOT NULL AND NOT EXISTS (
        SELECT FROM skips whole
        WHERE whole.run_id = :run_id AND whole.loan_id = slot_skip.loan_id
          AND whole.due_date = slot_skip.due_date AND whole.slot IS NULL
    )
    GROUP BY slot_skip.reason
""")
_NOTICES = text("""
    SELECT count(DISTINCT (notice.patron_id, notice.due_date))
    FROM deliveries delivery JOIN notices notice USING (notice_id) WHERE delivery.run_id = :run_id
""")
_TAKEN_OVER = text(f"""
    SELECT count(*) FROM deliveries letter
    WHERE letter.run_id = :run_id AND letter.channel = 'letter' AND EXISTS (
        SELECT FROM delivery_loans found
        JOIN delivery_loans tried ON tried.library = found.library AND tried.loan_id = found.loan_id
         AND tried.due_date = found.due_date AND tried.stage = found.stage AND NOT tried.live
        JOIN deliveries delivery ON delivery.delivery_id = tried.delivery_id
        WHERE found.delivery_id = letter.delivery_id AND {NOT_ARRIVED}
    )
""")  # noqa: S608 - the condition is a module's own
_REDIRECTED = text("""
    SELECT count(*) FROM deliveries WHERE run_id = :run_id AND redirected AND state IN ('accepted', 'delivered')
""")
_ACCEPTED_ONCE = (DeliveryState.ACCEPTED.value, DeliveryState.DELIVERED.value, DeliveryState.BOUNCED.value)


def _counts(connection: Connection, query: TextClause, run_id: int) -> dict[str, int]:
    return {row.reason: row.number for row in connection.execute(query, {"run_id": run_id})}


def count_books(connection: Connection, run_id: int) -> Books:
    """Count one run. `loans_extracted` and `deliveries_planned` were counted on the way, all else is counted here.

    Raises BooksNotCounted when the run never finished reading the ILS.
    """
    run = connection.execute(
        select(runs.c.loans_extracted, runs.c.deliveries_planned).where(runs.c.run_id == run_id)
    ).one()
    if run.loans_extracted is None:
        raise BooksNotCounted(LedgerRefusal.NOT_READ_TO_COUNT, run_id=run_id)
    of_run = deliveries.c.run_id == run_id
    states: dict[Channel, dict[DeliveryState, int]] = {}
    for channel, state, count in connection.execute(
        select(deliveries.c.channel, deliveries.c.state, func.count())
        .where(of_run)
        .group_by(deliveries.c.channel, deliveries.c.state)
        .order_by(deliveries.c.channel, deliveries.c.state)
    ):
        states.setdefault(Channel(channel), {})[DeliveryState(state)] = count
    texts = connection.execute(
        select(
            func.coalesce(func.sum(deliveries.c.segments), 0),
            func.coalesce(func.sum(deliveries.c.cost), 0),
            func.coalesce(func.sum(deliveries.c.segments).filter(deliveries.c.cost == 0), 0),
        ).where(of_run, deliveries.c.channel == Channel.SMS.value, deliveries.c.state.in_(_ACCEPTED_ONCE))
    ).one()
    in_notices: int = connection.execute(_LOANS_IN_NOTICES, {"run_id": run_id}).scalar_one()
    books = Books(
        loans_extracted=run.loans_extracted,
        loans_in_notices=in_notices,
        skipped=_counts(connection, _SKIPPED, run_id),
        slots_skipped=_counts(connection, _SLOTS_SKIPPED, run_id),
        notices=connection.execute(_NOTICES, {"run_id": run_id}).scalar_one(),
        deliveries_planned=run.deliveries_planned,
        deliveries=states,
        segments=int(texts[0]),
        cost=float(texts[1]),
        unpriced=int(texts[2]),
        taken_over_by_letter=connection.execute(_TAKEN_OVER, {"run_id": run_id}).scalar_one(),
        redirected=connection.execute(_REDIRECTED, {"run_id": run_id}).scalar_one(),
        reading_refused=reading_refused(connection, run_id),
    )
    books = with_removed(connection, run_id, books)
    if books.loans_in_notices + sum(books.skipped.values()) < run.loans_extracted:
        passed_on = connection.execute(_PASSED_ON, {"run_id": run_id}).scalar_one()
        books = replace(books, loans_in_notices=books.loans_in_notices + passed_on)
    return books


def close_books(connection: Connection, run_id: int) -> Books:
    """Count one run and keep the books, with their problems, in its row.

    What was removed of it counts as what it was. Raises LedgerRefused for a run of which loans were removed before that
    was kept: its books stay what they were.
    """
    refuse_erased(connection, run_id)
    books = count_books(connection, run_id)
    connection.execute(
        update(runs)
        .where(runs.c.run_id == run_id)
        .values(
            books=encode_books(books),
            balanced=not books.problems(),
            closed_at=func.now(),
            state=RunState.CLOSED.value,
        )
    )
    return books
