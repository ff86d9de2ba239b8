"""Where a task can be struck: counts its steps from outside and, at the chosen one, kills its process or holds it.

Nothing of this is in the product: a child process of `task_host` wraps the product's own functions before it runs.

    while_extracting  rows of the ILS are in the ledger, the run is not said to be read
    while_planning    notices and deliveries are written, the one transaction that plans them has not ended
    before_claim      the ledger is about to mark messages as attempted (and to record the answers in hand)
    after_claim       that is committed, nothing of it has left
    after_answer      a server's answer is in hand, not yet recorded
    after_store       the same for letters: the batch is stored
    before_commit     inside the transaction that records answers, all statements done
    between_batches   answers recorded and committed
    while_drawing     a worker process lays letters out
    while_storing     a file of the batch is on the disk under its hidden name
    after_work        every answer is recorded, and Airflow has not heard that the task is done

`request_out`, when the server has a message and has not answered, is the servers' own affair: see `servers`.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0
RENDEZVOUS_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """At the `at`-th passage of `point`: SIGKILL, or, when `hold` names a folder, wait there to be told to go on.

    `delay` is in seconds and counts for `while_drawing` only. `lock_seconds` shortens the ledger's patience with
    locks, `page_size` makes pages of waiting deliveries shorter, `fetch` reads so many of the ILS's rows at a time, and
    `meet` names a folder where this process waits, before its first claim, for another one.
    """

    point: str = ""
    at: int = 1
    hold: str = ""
    delay: float = 0.1
    lock_seconds: float = 0
    page_size: int = 0
    fetch: int = 0
    meet: str = ""


class Steps:
    """Counts passages of the strike's point, whatever thread they come from."""

    def __init__(self, strike: Strike) -> None:
        self.strike = strike
        self.recording = False
        self._passed = 0
        self._lock = threading.Lock()

    def passing(self, point: str) -> None:
        if point != self.strike.point:
            return
        with self._lock:
            self._passed += 1
            if self._passed != self.strike.at:
                return
            if self.strike.hold:
                _wait_to_go_on(Path(self.strike.hold))
            else:
                os.kill(os.getpid(), signal.SIGKILL)

    def kill_during(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def struck(*args: Any, **kwargs: Any) -> Any:
            timer = threading.Timer(self.strike.delay, self.passing, args=("while_drawing",))
            timer.daemon = True
            timer.start()
            done = work(*args, **kwargs)
            timer.join()
            return done

        return struck


def _wait_to_go_on(folder: Path) -> None:
    (folder / "reached").touch()
    deadline = time.monotonic() + PATIENCE_S
    while not (folder / "go").exists() and time.monotonic() < deadline:
        time.sleep(0.01)


def _meet(folder: Path) -> None:
    (folder / f"here-{os.getpid()}").touch()
    deadline = time.monotonic() + RENDEZVOUS_S
    while len(list(folder.glob("here-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.002)


def arm(strike: Strike) -> Steps:
    """Wrap the product's functions in this process; `after_work` is for the caller to pass."""
    from loan_reminders.gateways.email.mail_relay import SmtpRelay
    from loan_reminders.gateways.letters.letter_store import FolderLetterStore
    from loan_reminders.gateways.sms.allmysms import AllMySmsGateway

    steps = Steps(strike)
    _arm_ledger(steps)
    _pass_after(steps, SmtpRelay, "send", "after_answer")
    _pass_after(steps, AllMySmsGateway, "send", "after_answer")
    _pass_after(steps, FolderLetterStore, "store", "after_store")
    _arm_letters(steps)
    if strike.fetch:
        _arm_ils(strike.fetch)
    return steps


def _arm_ils(fetch: int) -> None:
    from loan_reminders.gateways.runs.oracle_database import OracleDatabase

    opened = OracleDatabase.__init__

    def open_with_short_fetches(self: Any, *args: Any, **kwargs: Any) -> None:
        opened(self, *args, **{**kwargs, "array_size": fetch})

    OracleDatabase.__init__ = open_with_short_fetches  # type: ignore[method-assign]


def _arm_ledger(steps: Steps) -> None:
    from sqlalchemy import Engine, event

    from loan_reminders.ledger import connect as opening
    from loan_reminders.ledger.repository import PostgresLedger
    from loan_reminders.ledger.runs.planning import PostgresPlanning
    from loan_reminders.ledger.sender import PostgresSender

    strike = steps.strike
    if strike.lock_seconds and opening.connect.__kwdefaults__:
        opening.connect.__kwdefaults__["lock_seconds"] = strike.lock_seconds
    if strike.page_size:
        PostgresSender.waiting.__defaults__ = (strike.page_size,)
    record, claim, record_and_claim = PostgresSender.record, PostgresSender.claim, PostgresSender.record_and_claim
    record_batch = PostgresSender.record_batch
    met: list[bool] = []

    def watched(do: Callable[[], Any], receipts: Any, deliveries: Any) -> Any:
        if deliveries:
            if strike.meet and not met:
                met.append(True)
                _meet(Path(strike.meet))
            steps.passing("before_claim")
        steps.recording = bool(receipts)
        claimed = do()
        steps.recording = False
        if claimed:
            steps.passing("after_claim")
        if receipts:
            steps.passing("between_batches")
        return claimed

    def recorded(self: PostgresSender, receipts: Any) -> None:
        watched(lambda: record(self, receipts), receipts, ())

    def claimed(self: PostgresSender, deliveries: Any, words: Any = (), **more: Any) -> Any:
        return watched(lambda: claim(self, deliveries, words, **more), (), deliveries)

    def recorded_and_claimed(self: PostgresSender, receipts: Any, deliveries: Any, words: Any = (), **more: Any) -> Any:
        return watched(lambda: record_and_claim(self, receipts, deliveries, words, **more), receipts, deliveries)

    def batch_recorded(self: PostgresSender, batch: Any, receipts: Any = ()) -> int:
        steps.recording = True
        batch_id = record_batch(self, batch, receipts)
        steps.recording = False
        steps.passing("between_batches")
        return batch_id

    def committing(_connection: Any) -> None:
        if steps.recording:
            steps.passing("before_commit")

    PostgresSender.record = recorded  # type: ignore[method-assign]
    PostgresSender.claim = claimed  # type: ignore[method-assign]
    PostgresSender.record_and_claim = recorded_and_claimed  # type: ignore[method-assign]
    PostgresSender.record_batch = batch_recorded  # type: ignore[method-assign]
    event.listen(Engine, "commit", committing)
    _pass_after(steps, PostgresLedger, "record_loans", "while_extracting")
    _pass_after(steps, PostgresPlanning, "record", "while_planning")


def _arm_letters(steps: Steps) -> None:
    from loan_reminders.gateways.letters import letter_store
    from loan_reminders.rendering.letters.chunks import ChunkCompiler

    flush, compile_all = letter_store._flush, ChunkCompiler.compile_all

    def flushed(file: Any) -> None:
        flush(file)
        steps.passing("while_storing")

    letter_store._flush = flushed
    if steps.strike.point == "while_drawing":
        ChunkCompiler.compile_all = steps.kill_during(compile_all)  # type: ignore[method-assign]


def _pass_after(steps: Steps, owner: Any, name: str, point: str) -> None:
    original = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        steps.passing(point)
        return result

    setattr(owner, name, wrapped)
