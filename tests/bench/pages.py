"""How long the librarians' pages take on a ledger of three years and two million deliveries, asked for ten at a time.

A page without any question to the ledger, of the same application in the same run, is the baseline: a slow machine is
slow for both.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime

import httpx
from fastapi import FastAPI

from loan_reminders.settings.library_toml import settings
from tests.bench.bed import Bed
from tests.bench.report import Figure
from tests.scenes.large_ledger import TWO_MILLION_DELIVERIES, fill
from tests.simulators.callback_receiver import CallbackReceiver

AT_ONCE, TIMES = 10, 60
"""Requests under way together, and how often each page is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question a librarian asks of the pages; `form` is what the search box sends."""

    name: str
    path: str
    form: dict[str, str] = field(default_factory=dict)


EMPTY = Asked(name="empty page", path="/nulle-part")


def questions(today: date, reader_number: int) -> Sequence[Asked]:
    """Every page, and every kind of search."""
    year = f"?du={today.replace(year=today.year - 1)}&au={today}"
    typed = {
        "card": "2123456",
        "patron id": "P123456",
        "name": "ioaeco",
        "name and first name": "Aoe Iuo",
        "e-mail": "lecteur123456@etu.example.org",
        "phone": "06 00 12 34 56",
        "barcode": "C123456",
        "loan": "L123456",
        "letter": "REF-100-2",
        "registered number": "1B00000000100",
        "nobody": "zzzzzzzz",
    }
    pages = {
        "first page": "/",
        "desk": "/bureau",
        "search": "/lecteurs",
        "a reader": f"/lecteurs/{reader_number}",
        "batches": "/lots",
        "registered": "/recommandes",
        "to correct": "/a-corriger",
        "suppressions": "/desinscriptions",
        "messages": "/messages",
        "statistics": "/statistiques",
        "statistics of a year": f"/statistiques{year}",
        "journal": "/journal",
    }
    return [
        *(Asked(name=name, path=path) for name, path in pages.items()),
        *(
            Asked(name=f"search by {name}", path="/lecteurs", form={"recherche": words})
            for name, words in typed.items()
        ),
    ]


def served() -> FastAPI:
    """The application of a librarian who need not log in, beside an Airflow that has nothing to say."""
    from loan_reminders.web.app import create_app
    from tests.web.client import FixedRole

    app = create_app(FixedRole("biblio"))
    app.state.airflow = httpx.MockTransport(lambda _: httpx.Response(200, json={"total_entries": 0}))
    return app


def pages(bed: Bed) -> list[Figure]:
    """The slowest page's 95th percentile against that of an empty page, and the size of the first one."""
    today = datetime.now(settings().zone).date()
    database = bed.ledger()
    fill(bed.postgres, database, size=TWO_MILLION_DELIVERIES, until=today, library=settings().library.code)
    rows = bed.postgres.execute("SELECT reader_number FROM readers WHERE patron_id = 'P123456'", database=database)
    app, folder = "tests.bench.pages:served", bed.postgres.socket_folder
    with CallbackReceiver(socket_folder=folder, database=database, app=app) as server:
        headers = {"sec-fetch-site": "same-origin"}
        with httpx.Client(base_url=server.root, headers=headers, timeout=60) as client:
            asked = questions(today, rows[0][0])
            for one in asked:
                _ask(client, one)
            empty = _p95(client, EMPTY)
            times = {one.name: _p95(client, one) for one in asked}
            size = len(client.get("/", headers={"accept-encoding": "identity"}).content) / 1024
            empty_size = len(client.get(EMPTY.path).content) / 1024
    slowest = sorted(times.items(), key=lambda item: -item[1])
    return [
        Figure(
            name="pages_p95",
            value=slowest[0][1] * 1000,
            unit="ms",
            baseline=empty * 1000,
            remarks=(
                f"{AT_ONCE} at once, {len(times)} pages and searches; the slowest: "
                + ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in slowest[:6]),
                f"median of all pages {statistics.median(times.values()) * 1000:.0f} ms",
            ),
        ),
        Figure(name="first_page_size", value=size, unit="KB", baseline=empty_size),
    ]


def _ask(client: httpx.Client, one: Asked) -> float:
    since = time.perf_counter()
    answer = client.post(one.path, data=one.form) if one.form else client.get(one.path)
    took = time.perf_counter() - since
    if answer.status_code not in (200, 303, 404):
        raise RuntimeError(f"{one.name}: HTTP {answer.status_code}")
    return took


def _p95(client: httpx.Client, one: Asked) -> float:
    with ThreadPoolExecutor(AT_ONCE) as at_once:
        took = sorted(at_once.map(lambda _: _ask(client, one), range(TIMES)))
    return took[int(len(took) * 0.95)]
