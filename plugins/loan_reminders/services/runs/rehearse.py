"""A dry run: keep the messages that would have left where librarians can read them, and send nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from loan_reminders.domain.email.share import WHOLE, Share
from loan_reminders.domain.errors import LetterStoreUnavailable
from loan_reminders.domain.messages import Receipt, RenderedEmail, RenderedText
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.ports.outside import Ledger, LetterStore
from loan_reminders.domain.sms.grouping import grouped_for_requests
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.services.dispatch import Tally, render_all

log = logging.getLogger(__name__)

SIMULATED_AT_ONCE = 100
REHEARSALS = "essai-a-blanc"
"""The folder of dry runs, letters included."""
KEPT = timedelta(days=7)
"""How long the messages of a dry run are kept: they name readers, and are of no use later."""


def rehearse(
    ledger: Ledger,
    store: LetterStore,
    render: Callable[[Delivery], RenderedEmail | RenderedText],
    *,
    run_id: int,
    channel: Channel,
    share: Share = WHOLE,
    ask_cost: Callable[[Sequence[RenderedText]], int] | None = None,
) -> dict[str, int]:
    """Compose every message of a dry run and keep it under `essai-a-blanc/`; the deliveries end CANCELLED (dry_run).

    Nothing is claimed: the real run of the same day finds everything still to do. `share` is the part of the run to
    compose; no two shares write to one folder. `ask_cost` asks the SMS provider
    what texts would cost, in segments, without sending them; a difference with our own count is a warning.
    """
    tally = Tally(channel=f"Essai à blanc, {channel}")
    run = ledger.run(run_id)
    folder = f"{REHEARSALS}/{run.stage}-{run.reference_date}-{run_id}/{channel}"
    if not share.whole:
        folder += f"/{share.number}-{share.of}"
    with ledger.sender(run_id, channel, share=share) as sender:
        for number, page in enumerate(sender.waiting(), start=1):
            messages, failed = render_all(page, render)
            locations = store.store(f"{folder}/{number:04d}", _files(messages))
            rehearsed = [
                Receipt(delivery_id=message.delivery_id, state=DeliveryState.CANCELLED, reason=Reason.DRY_RUN)
                for message in messages
            ]
            sender.record([*rehearsed, *failed])
            tally.count([*rehearsed, *failed])
            if ask_cost is not None:
                _compare([message for message in messages if isinstance(message, RenderedText)], ask_cost)
            log.info("Essai à blanc, messages à lire : %d, dans %s", len(locations), folder)
    return tally.summary()


def sweep_rehearsals(store: LetterStore, now: datetime) -> int:
    """Remove what dry runs wrote more than seven days ago; returns how many runs' folders.

    A store that does not let them be removed is a warning: the task that sweeps has its own work to do.
    """
    try:
        removed = store.remove_older(REHEARSALS, before=now - KEPT)
    except LetterStoreUnavailable as error:
        log.warning("Essais à blanc de plus de %d jours : %s", KEPT.days, error)
        return 0
    if removed:
        log.info("Essais à blanc de plus de %d jours, dossiers supprimés : %d", KEPT.days, removed)
    return removed


def _compare(texts: list[RenderedText], ask_cost: Callable[[Sequence[RenderedText]], int]) -> None:
    ours = sum(text.segments for text in texts)
    theirs = sum(ask_cost(together) for together in grouped_for_requests(texts, SIMULATED_AT_ONCE))
    log.log(
        logging.INFO if ours == theirs else logging.WARNING, "Segments : %d pour nous, %d pour allmysms", ours, theirs
    )


def _files(messages: list[RenderedEmail | RenderedText]) -> Iterator[tuple[str, bytes]]:
    for message in messages:
        if isinstance(message, RenderedEmail):
            yield f"{message.delivery_id}.eml", message.content
        else:
            yield f"{message.delivery_id}.txt", f"{message.recipient.value}\n{message.text}\n".encode()
