"""How many callbacks a second one process of the web server keeps, and whether its pages answer as fast meanwhile.

    python -m tests.bench.callbacks [COUNT]

COUNT receipts (2,000) are pushed over 16 connections, by GET then by POST, about SMS that the ledger does not know.
Then once more with the process killed half-way: every callback that was answered `OK` must be in the ledger. At the end
a page is asked for again and again, in turns alone and while 100 receipts a second come in.
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import datetime

import requests
from fastapi import FastAPI

from loan_reminders.commands.migrate import upgrade
from loan_reminders.ledger.connect import connect
from loan_reminders.settings.library_toml import ROOT, read_settings
from tests.scenes.ledger_runs import rows
from tests.simulators.callback_receiver import CallbackReceiver
from tests.simulators.postgres import EmbeddedPostgres
from tests.simulators.sms_push import push

CONNECTIONS = 16
PER_SECOND = 100
TURNS, PAGES = 6, 25


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTimes:
    """Median seconds of a page alone and beside callbacks, and how many callbacks a second were answered `OK`."""

    alone: float
    beside: float
    per_second: float


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


def pages_without_login() -> FastAPI:
    """The application of a librarian who need not log in, for the web server of a measure."""
    from loan_reminders.web.app import create_app
    from tests.web.client import FixedRole

    return create_app(FixedRole("biblio"))


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


def page_times(server: EmbeddedPostgres, database: str) -> PageTimes:
    """Ask for a page that reads the ledger, in turns: alone, then while receipts come in at their pace."""
    app = "tests.bench.callbacks:pages_without_login"
    times: dict[bool, list[float]] = {False: [], True: []}
    said_ok, pushing = [0], [0.0]
    with (
        CallbackReceiver(socket_folder=server.socket_folder, database=database, app=app) as receiver,
        requests.Session() as session,
    ):
        push(receiver.url, receipts(1), timeout_s=30)

        def callbacks(stop: threading.Event) -> None:
            began, sent = time.perf_counter(), 0
            while not stop.is_set():
                # What is late is made up for: the pace is that of the clock.
                due = int((time.perf_counter() - began) * PER_SECOND) - sent
                said_ok[0] += sum(push(receiver.url, receipts(due), connections=4, timeout_s=30))
                sent += due
                stop.wait(0.02)
            pushing[0] += time.perf_counter() - began

        for turn in range(2 * TURNS):
            beside, stop = turn % 2 == 1, threading.Event()
            pusher = threading.Thread(target=callbacks, args=[stop])
            if beside:
                pusher.start()
            for _ in range(PAGES):
                since = time.perf_counter()
                session.get(f"{receiver.root}/desinscriptions", timeout=60).raise_for_status()
                times[beside].append(time.perf_counter() - since)
                time.sleep(0.05)
            stop.set()
            if beside:
                pusher.join()
    return PageTimes(
        alone=statistics.median(times[False]),
        beside=statistics.median(times[True]),
        per_second=said_ok[0] / pushing[0],
    )


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    server = EmbeddedPostgres.in_new_folder()
    try:
        lost = 0
        for name, method, kill in (("GET", "GET", None), ("POST", "POST", None), ("kill -9", "GET", count / 1_000)):
            database = server.create_database()
            upgrade(server.url(database))
            found = burst(server, database, count, kill_after_s=kill, method=method)
            lost += found.lost
            print(
                f"{name:8} {found.sent} sent, {found.said_ok} OK, {found.kept} kept, {found.lost} lost,"
                f" {found.seconds:.1f} s, {found.per_second:.0f}/s"
            )
        database = server.create_database()
        upgrade(server.url(database))
        pages = page_times(server, database)
        print(
            f"a page   {pages.alone * 1000:.0f} ms alone, {pages.beside * 1000:.0f} ms beside"
            f" {pages.per_second:.0f} callbacks/s"
        )
    finally:
        server.remove()
    return 1 if lost else 0


if __name__ == "__main__":
    raise SystemExit(main())
