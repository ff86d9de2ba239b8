"""Callbacks on their way to the ledger: none told kept that is not, none lost for another's sake; and the limit."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from loan_reminders.domain.errors import LedgerRefusal, LedgerUnavailable, PermanentError
from loan_reminders.domain.sms.feedback import SmsReply
from loan_reminders.web.sms.flood import TokenBucket
from loan_reminders.web.sms.inbox import Inbox, InboxFull


def callback(number):
    return SmsReply(reply_id=str(number), phone_number="33639980001", text="", received_at=None)


class Books:
    def __init__(self, *, refuses=(), down=False) -> None:
        self.refuses, self.down = set(refuses), down
        self.kept: list[str] = []
        self.lots: list[int] = []
        self.settled = 0
        self.gate = threading.Event()
        self.gate.set()

    def keep(self, callbacks) -> None:
        self.gate.wait()
        self.lots.append(len(callbacks))
        if self.down:
            raise LedgerUnavailable(LedgerRefusal.NO_ANSWER, words="down")
        if self.refuses.intersection(one.reply_id for one in callbacks):
            raise PermanentError("refused")
        self.kept += [one.reply_id for one in callbacks]

    def settle(self) -> None:
        self.settled += 1
        raise LedgerUnavailable(LedgerRefusal.NO_ANSWER, words="settled later")


@pytest.fixture
def inbox_of():
    opened = []

    def open_inbox(books, **more):
        opened.append(Inbox(keep=books.keep, settle=books.settle, **more))
        return opened[-1]

    yield open_inbox
    for inbox in opened:
        inbox.close()


def test_what_gathers_while_a_lot_is_kept_is_kept_together(inbox_of):
    books = Books()
    inbox = inbox_of(books, lot=50)
    books.gate.clear()
    futures = [inbox.put(callback(number)) for number in range(101)]
    assert not any(future.done() for future in futures)
    books.gate.set()
    for future in futures:
        future.result(timeout=5)
    assert books.kept == [str(number) for number in range(101)]
    assert len(books.lots) <= 4
    assert max(books.lots) == 50


def test_one_that_is_refused_loses_no_other(inbox_of):
    books = Books(refuses={"3"})
    inbox = inbox_of(books)
    books.gate.clear()
    futures = [inbox.put(callback(number)) for number in range(6)]
    books.gate.set()
    with pytest.raises(PermanentError):
        futures[3].result(timeout=5)
    for number in (0, 1, 2, 4, 5):
        futures[number].result(timeout=5)
    assert sorted(books.kept) == ["0", "1", "2", "4", "5"]


def test_none_is_told_kept_while_the_ledger_is_down_and_each_lot_is_tried_once(inbox_of):
    books = Books(down=True)
    inbox = inbox_of(books)
    books.gate.clear()
    futures = [inbox.put(callback(number)) for number in range(6)]
    books.gate.set()
    for future in futures:
        with pytest.raises(LedgerUnavailable):
            future.result(timeout=5)
    assert (books.kept, len(books.lots) <= 2) == ([], True)
    books.down = False
    inbox.put(callback(7)).result(timeout=5)
    assert books.kept == ["7"]


def test_whoever_gave_up_waiting_harms_nobody_and_is_kept(inbox_of):
    books = Books()
    inbox = inbox_of(books)
    books.gate.clear()
    first, gone, last = (inbox.put(callback(number)) for number in range(3))
    gone.cancel()
    books.gate.set()
    first.result(timeout=5)
    last.result(timeout=5)
    assert books.kept == ["0", "1", "2"]


def test_what_would_fill_the_memory_is_refused(inbox_of):
    books = Books()
    inbox = inbox_of(books, most_waiting=10, lot=1)
    books.gate.clear()
    put: list[Future[None]] = []

    def fill() -> None:
        while True:
            put.append(inbox.put(callback(len(put))))

    with pytest.raises(InboxFull):
        fill()
    books.gate.set()
    for future in put:
        future.result(timeout=5)
    assert len(put) in (10, 11)


def test_closing_keeps_what_waits():
    books = Books()
    inbox = Inbox(keep=books.keep, settle=books.settle)
    books.gate.clear()
    futures = [inbox.put(callback(number)) for number in range(5)]
    books.gate.set()
    inbox.close()
    assert all(future.done() for future in futures)
    assert (len(books.kept), books.settled >= 1) == (5, True)


def test_a_bucket_lets_a_burst_through_then_so_many_a_second():
    now = [0.0]
    bucket = TokenBucket(per_second=10, burst=3, clock=lambda: now[0])
    assert [bucket.take() for _ in range(5)] == [True] * 3 + [False] * 2
    now[0] = 0.1
    assert [bucket.take() for _ in range(2)] == [True, False]
    now[0] = 1000.0
    assert sum(bucket.take() for _ in range(10)) == 3
