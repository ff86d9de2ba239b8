"""What removed loans and messages count for in the books of their run."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, text

from loan_reminders.domain.runs.books import Books
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState

_KEPT = text("SELECT measure, kind, number FROM removed_books WHERE run_id = :run_id ORDER BY measure, kind")


def with_removed(connection: Connection, run_id: int, books: Books) -> Books:
    """The books of a run, with what was removed of it."""
    skipped, slots = dict(books.skipped), dict(books.slots_skipped)
    states = {channel: dict(counts) for channel, counts in books.deliveries.items()}
    more = dict.fromkeys(
        ("loans_in_notices", "notices", "segments", "unpriced", "taken_over_by_letter", "redirected"), 0
    )
    cost = books.cost
    for measure, kind, number in connection.execute(_KEPT, {"run_id": run_id}):
        if measure == "deliveries":
            channel, state = kind.split(" ")
            counts = states.setdefault(Channel(channel), {})
            counts[DeliveryState(state)] = counts.get(DeliveryState(state), 0) + int(number)
        elif measure in ("skipped", "slots_skipped"):
            reasons = skipped if measure == "skipped" else slots
            reasons[kind] = reasons.get(kind, 0) + int(number)
        elif measure == "cost":
            cost += float(number)
        else:
            more[measure] += int(number)
    return replace(
        books,
        loans_in_notices=books.loans_in_notices + more["loans_in_notices"],
        skipped=skipped,
        slots_skipped=slots,
        notices=books.notices + more["notices"],
        deliveries=states,
        segments=books.segments + more["segments"],
        cost=cost,
        unpriced=books.unpriced + more["unpriced"],
        taken_over_by_letter=books.taken_over_by_letter + more["taken_over_by_letter"],
        redirected=books.redirected + more["redirected"],
    )
