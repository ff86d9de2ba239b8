"""How many callbacks a second one process of the web server keeps, and what is lost when it is killed: nothing.

    python -m tests.bench.callbacks [COUNT]

COUNT receipts (10,000) are pushed over 16 connections, by GET then by POST, about SMS that the ledger does not know.
Then once more with the process killed half-way: every callback that was answered `OK` must be in the ledger.
"""

from __future__ import annotations

import sys
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import datetime

from loan_reminders.commands.migrate import upgrade
from loan_reminders.ledger.connect import connect
from loan_reminders.settings.library_toml import ROOT, read_settings
from tests.scenes.ledger_runs import rows
from tests.simulators.callback_receiver import CallbackReceiver
from tests.simulators.postgres import EmbeddedPostgres
from tests.simulators.sms_push import push

CONNECTIONS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What came of one burst."""

    sent: int
    said_ok: int
    kept: int
    lost: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.said_ok / self.seconds


def receipts(count: int) -> list[dict[str, str]]:
    now = f"{datetime.now():%Y-%m-%d %H:%M:%S}"
    return [
        {
            "smsId": str(uuid.uuid4()),
            "status": "1",
            "statusText": "Delivered",
            "receptionDate": now,
            "phoneNumber": f"336399{number:05d}",
            "campaignId": "ap_bench",
        }
        for number in range(count)
    ]


def burst(
    server: EmbeddedPostgres, database: str, count: int, *, kill_after_s: float | None = None, method: str = "GET"
) -> Burst:
    """Push receipts to a fresh process of the web server; with `kill_after_s`, kill it that long after the first."""
    callbacks = receipts(count)
    library = read_settings(ROOT / "library.toml").library.code
    with (
        CallbackReceiver(socket_folder=server.socket_folder, database=database) as receiver,
        connect(server.url(database), library=library) as ledger,
    ):
        push(receiver.url, receipts(1), method=method, timeout_s=30)
        killer = threading.Timer(kill_after_s, receiver.kill) if kill_after_s is not None else None
        began = time.perf_counter()
        if killer is not None:
            killer.start()
        took = push(receiver.url, callbacks, method=method, connections=CONNECTIONS, timeout_s=30)
        seconds = time.perf_counter() - began
        if killer is not None:
            killer.join()
        kept = {row[0] for row in rows(ledger, "SELECT sms_id FROM sms_acks")}
    told = {said["smsId"] for said, ok in zip(callbacks, took, strict=True) if ok}
    return Burst(
        sent=count,
        said_ok=len(told),
        kept=len(kept & {said["smsId"] for said in callbacks}),
        lost=len(told - kept),
        seconds=seconds,
    )


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    server = EmbeddedPostgres.in_new_folder()
    try:
        lost = 0
        for name, method, kill in (("GET", "GET", None), ("POST", "POST", None), ("kill -9", "GET", count / 2_000)):
            database = server.create_database()
            upgrade(server.url(database))
            found = burst(server, database, count, kill_after_s=kill, method=method)
            lost += found.lost
            print(
                f"{name:8} {found.sent} sent, {found.said_ok} OK, {found.kept} kept, {found.lost} lost,"
                f" {found.seconds:.1f} s, {found.per_second:.0f}/s"
            )
    finally:
        server.remove()
    return 1 if lost else 0


if __name__ == "__main__":
    raise SystemExit(main())
