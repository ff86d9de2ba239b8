"""A process that sends the deliveries of one run by one channel.

A sender shows that it lives by an advisory lock on its own connection, which PostgreSQL releases when the
connection ends, however it ends. Claims are made and answers recorded on that same connection: a sender that lost
its lock can claim nothing more.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, func, select, text

from loan_reminders.domain.email.put_off import PutOff
from loan_reminders.domain.email.refused_elsewhere import RefusedElsewhere
from loan_reminders.domain.email.share import WHOLE, Share
from loan_reminders.domain.errors import LedgerRefusal, LedgerUnavailable
from loan_reminders.domain.letters.batches import EarlierReminder
from loan_reminders.domain.messages import LetterBatch, Receipt, SentWords
from loan_reminders.domain.notices import Delivery, LoanKey
from loan_reminders.domain.ports.outside import Run
from loan_reminders.domain.stages import Channel
from loan_reminders.domain.states import Reason
from loan_reminders.french import ledger as sentences
from loan_reminders.french.words import CHANNELS
from loan_reminders.ledger import sender_locks, sender_sql, sent_words
from loan_reminders.ledger.faults import ledger_errors
from loan_reminders.ledger.json_codecs import encode_receipt
from loan_reminders.ledger.letters import closing
from loan_reminders.ledger.runs import history, waiting
from loan_reminders.ledger.runs.outbox import offered_states, read_page
from loan_reminders.ledger.sender_locks import LETTERS
from loan_reminders.ledger.sms import costs as sms_costs
from loan_reminders.ledger.suppressions.objections import stop_refused

logger = logging.getLogger(__name__)

# What a sender asks for is found by keys, whatever the size of the tables: its plans are kept.
_PLANS = text("SET plan_cache_mode = 'auto'")

ANSWERS_AT_ONCE = 250
"""Answers in one statement: its time grows with the square of their number."""


class PostgresSender:
    """One sender, of all the run or of a share of it. Fulfils `Sender`; threads of one process may use it.

    A library's SMS have one sender at a time: another waits as long as for any lock, then raises LedgerUnavailable.
    In a dry run nothing can be claimed, so nothing can leave.
    """

    def __init__(self, engine: Engine, run: Run, channel: Channel, *, library: str, share: Share = WHOLE) -> None:
        self._engine = engine
        self._run = run
        self._channel = channel
        self._library = library
        self._connection: Connection | None = None
        self._since: Any = None
        self._lock = threading.Lock()
        self._today = run.today
        self._passed_over = False
        self._offer_again = False
        self.token = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4()}"
        self._share = share
        self._scope = {
            "library": library, "run_id": run.run_id, "channel": channel.value,
            "first": share.first, "last": share.last,
        }  # fmt: skip
        self._waiting_scope = {**self._scope, "offered": list(offered_states(channel))}

    def __enter__(self) -> Self:
        with ledger_errors():
            connection = self._engine.connect()
            try:
                connection.detach()
                connection.execute(_PLANS)
                sender_sql.learn_sizes(connection)
                sender_locks.show_life(connection, self.token)
                if self._channel in LETTERS:
                    sender_locks.lock_letters(connection, self._library, self._run.run_id, self._channel)
                elif self._channel is Channel.SMS and not self._run.dry_run:
                    sender_locks.lock_sms(connection, self._library)
                interrupted = len(connection.execute(sender_sql.RECOVER, self._scope).all())
                stop_refused(connection, self._library, self._run.run_id, self._channel)
                self._since = connection.execute(select(func.clock_timestamp())).scalar_one()
                connection.commit()
            except BaseException:
                sender_locks.let_go(connection)
                raise
        self._connection = connection
        if interrupted:
            logger.warning(sentences.LEFT_BY_A_SENDER, self._run.run_id, CHANNELS[self._channel], interrupted)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                sender_locks.let_go(connection)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._lock, ledger_errors():
            connection = self._connection
            if connection is None or connection.invalidated:
                raise LedgerUnavailable(LedgerRefusal.CONNECTION_CLOSED)
            with connection.begin():
                yield connection

    def waiting(self, page_size: int = 500) -> Iterator[Sequence[Delivery]]:
        """Deliveries that wait, in the order of their ids, each once; each page is a short transaction of its own.

        One that could not be claimed because a loan of it was held meanwhile comes again at the end without that loan.
        """
        offered = list(offered_states(self._channel))
        with self._transaction() as connection:
            self._since = connection.execute(select(func.clock_timestamp())).scalar_one()
        beginning = uuid.UUID(int=max(0, self._share.first.int - 1))
        after = beginning
        while True:
            parameters = {**self._scope, "offered": offered, "after": after, "since": self._since, "page": page_size}
            with self._transaction() as connection:
                page = read_page(connection, parameters)
            if not page:
                if not self._left_for_a_hold():
                    return
                after = beginning
                continue
            after = page[-1].delivery_id
            yield page

    def _left_for_a_hold(self) -> bool:
        """Whether something that this pass could not claim is to be offered again, without what was held of it."""
        if self._passed_over:
            self.drop_held(self._today)
        again, self._passed_over, self._offer_again = self._offer_again, False, False
        return again

    def record(self, receipts: Sequence[Receipt]) -> None:
        """Record answers in one committed transaction.

        An answer that comes too late to change its delivery (another sender holds it, or its state is final) is kept
        with the receipts all the same.
        """
        if receipts:
            with self._transaction() as connection:
                self._record(connection, receipts)

    def claim(
        self, deliveries: Sequence[uuid.UUID], words: Sequence[SentWords] = (), *,
        redirected: Sequence[uuid.UUID] = (), segments: int = 0,
    ) -> frozenset[uuid.UUID]:  # fmt: skip
        """Mark deliveries as attempted in one committed transaction; returns the ids that are now ours.

        The `words` of those are kept with the claim, which of them are `redirected`, and the `segments` of each SMS.
        """
        with self._transaction() as connection:
            return self._claim(connection, deliveries, words, redirected, segments)

    def record_and_claim(
        self, receipts: Sequence[Receipt], deliveries: Sequence[uuid.UUID], words: Sequence[SentWords] = (), *,
        redirected: Sequence[uuid.UUID] = (),
    ) -> frozenset[uuid.UUID]:  # fmt: skip
        """Record answers, then claim deliveries, in one committed transaction; returns the ids that are now ours."""
        if not receipts and not deliveries:
            return frozenset()
        with self._transaction() as connection:
            self._record(connection, receipts)
            return self._claim(connection, deliveries, words, redirected)

    def _claim(
        self, connection: Connection, deliveries: Sequence[uuid.UUID], words: Sequence[SentWords],
        redirected: Sequence[uuid.UUID], segments: int = 0,
    ) -> frozenset[uuid.UUID]:  # fmt: skip
        if not deliveries or self._run.dry_run:
            return frozenset()
        asked = {
            **self._waiting_scope,
            "token": self.token,
            "since": self._since,
            "today": self._today,
            "delivery_id": list(deliveries),
            "redirected": list(redirected),
            "segments": segments,
        }
        ours = frozenset(connection.execute(sender_sql.CLAIM, asked).scalars())
        self._passed_over |= len(ours) < len(deliveries)
        sent_words.keep(connection, self._library, (said for said in words if said.delivery_id in ours))
        return ours

    def _record(self, connection: Connection, receipts: Sequence[Receipt], batch_id: int | None = None) -> None:
        applied = 0
        for start in range(0, len(receipts), ANSWERS_AT_ONCE):
            some = receipts[start : start + ANSWERS_AT_ONCE]
            parameters = {
                "library": self._library,
                "run_id": self._run.run_id,
                "token": self.token,
                "batch_id": batch_id,
                "delivery_id": [receipt.delivery_id for receipt in some],
                "answers": json.dumps([encode_receipt(receipt) for receipt in some]),
            }
            applied += sum(connection.execute(sender_sql.ANSWER, parameters).scalars())
        if late := len(receipts) - applied:
            logger.warning(sentences.TOO_LATE, self._run.run_id, late)

    def waiting_loans(self) -> frozenset[LoanKey]:
        """The loans of what waits in this run by this channel."""
        with self._transaction() as connection:
            return waiting.waiting_loans(connection, self._waiting_scope)

    def drop(self, gone: Mapping[LoanKey, Reason]) -> int:
        """Take loans out of what waits; deliveries without any left are cancelled. Returns how many were."""
        with self._transaction() as connection:
            return waiting.drop(connection, self._waiting_scope, gone)

    def drop_held(self, today: date) -> int:
        """Take out of what waits what a librarian said not to write about today; returns how many loans.

        From here on nothing that is held that day can be claimed.
        """
        self._today = today
        if self._run.dry_run:
            return 0
        with self._transaction() as connection:
            dropped = waiting.drop_held(connection, self._scope, today)
        self._offer_again |= self._passed_over and dropped > 0
        return dropped

    def cancel_waiting(self, reason: Reason) -> int:
        """Cancel everything that waits in this run by this channel; returns how many deliveries."""
        with self._transaction() as connection:
            return waiting.cancel_waiting(connection, self._waiting_scope, [self._channel.value], reason)

    def numbers_texted_since(self, since: datetime) -> frozenset[str]:
        """The mobile numbers that were, or may have been, written to since a moment, by any run of the library."""
        with self._transaction() as connection:
            return sms_costs.numbers_texted_since(connection, self._library, since)

    def earlier_reminders(
        self, deliveries: Sequence[Delivery], *, zone: str, trial: bool = False
    ) -> Mapping[uuid.UUID, tuple[EarlierReminder, ...]]:
        """For each of these deliveries, the reminders of this cycle about its loans that left before, oldest first."""
        asked = [one.delivery_id for one in deliveries]
        with self._transaction() as connection:
            return history.earlier_reminders(connection, self._library, asked, zone, trial=trial)

    def record_batch(self, batch: LetterBatch, receipts: Sequence[Receipt] = ()) -> int:
        """Record a stored batch of letters and its receipts, in one committed transaction; returns its number."""
        run_id = self._run.run_id
        with self._transaction() as connection:
            batch_id = closing.record_batch(
                connection, library=self._library, run_id=run_id, kind=self._channel, batch=batch
            )
            self._record(connection, receipts, batch_id)
            return batch_id

    def take_mail_connections(self, *, of: int, wanted: int) -> int:
        """Take at most `wanted` of the `of` SMTP connections that the library may keep open; returns how many."""
        with self._transaction() as connection:
            return sender_locks.take_mail_connections(connection, self._library, of=of, wanted=wanted)

    def refused_elsewhere(self) -> Sequence[RefusedElsewhere]:
        """What other senders of this run were refused, of those that the server has served nobody; 100 at most."""
        if self._share.whole:
            return ()
        with self._transaction() as connection:
            return sender_sql.refused_elsewhere(connection, self._scope, self.token)

    def put_off_since_last_accepted(self) -> Sequence[PutOff]:
        """Those of this run that wait because the server put them off, and accepted nothing since; 100 at most."""
        with self._transaction() as connection:
            return sender_sql.put_off_since_last_accepted(connection, self._scope)

    def others_at_work(self) -> bool:
        """Whether anything of this run and channel is under way or waits outside this sender's share."""
        if self._share.whole:
            return False
        with self._transaction() as connection:
            return bool(connection.execute(sender_sql.OTHERS_AT_WORK, self._scope).scalar_one())

    def fail_deferred(self) -> int:
        """Give up the deliveries refused for the moment that still wait; returns their number."""
        with self._transaction() as connection:
            return len(connection.execute(sender_sql.FAIL_DEFERRED, self._scope).all())
