"""How long the librarians' pages take on a ledger of three years and two million deliveries, asked for ten at a time.

A page without any question to the ledger, of the same application in the same run, is the baseline: a slow machine is
slow for both.
"""

from __future__ import annotations

import gc
import re
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

import httpx
from fastapi import FastAPI

from loan_reminders.settings.library_toml import settings
from tests.bench.bed import Bed
from tests.bench.report import Figure
from tests.bench.sampler import Sampler
from tests.simulators.callback_receiver import CallbackReceiver
from tests.simulators.postgres import EmbeddedPostgres

AT_ONCE, TIMES = 10, 60
"""Requests under way together, and how often each page is asked for."""
LOOK, SAY = "/mesure/debut", "/mesure/fin"
"""Where the server is asked to look at what it does, and to say which steps took most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question a librarian asks of the pages; `form` is what the search box sends."""

    name: str
    path: str
    form: dict[str, str] = field(default_factory=dict)


EMPTY = Asked(name="empty page", path="/nulle-part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A reader of the ledger, a letter's reference and a registered number: what is asked for is there to be found."""

    reader_number: int
    number: str
    surname: str
    first_name: str
    reference: str
    tracking_number: str


_KNOWN = """
    SELECT reader_number, substr(patron_id, 2), split_part(name, ' ', 1), split_part(name, ' ', 2),
           (SELECT reference FROM letters LIMIT 1), (SELECT tracking_number FROM registered_letters LIMIT 1)
    FROM readers OFFSET (SELECT count(*) / 3 FROM readers) LIMIT 1
"""


def known(postgres: EmbeddedPostgres, database: str) -> Known:
    """What the searches of the bench look for."""
    [(reader, number, surname, first_name, reference, tracking)] = postgres.execute(_KNOWN, database=database)
    return Known(
        reader_number=reader,
        number=number,
        surname=surname,
        first_name=first_name,
        reference=reference,
        tracking_number=tracking,
    )


def questions(today: date, one: Known) -> Sequence[Asked]:
    """Every page, and every kind of search."""
    year = f"?du={today.replace(year=today.year - 1)}&au={today}"
    mobile = f"06{one.number:0>8}"
    typed = {
        "card": f"2{one.number}",
        "patron id": f"P{one.number}",
        "name": one.surname.lower(),
        "name and first name": f"{one.first_name[:3]} {one.surname[:3]}",
        "e-mail": f"lecteur{one.number}@etu.example.org",
        "phone": " ".join(mobile[place : place + 2] for place in range(0, 10, 2)),
        "barcode": f"C{one.number}",
        "loan": f"L{one.number}",
        "letter": one.reference,
        "registered number": one.tracking_number,
        "nobody": "zzzzzzzz",
    }
    pages = {
        "first page": "/",
        "desk": "/bureau",
        "search": "/lecteurs",
        "a reader": f"/lecteurs/{one.reader_number}",
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
    from loan_reminders.web.app import create_app, rest_in_memory
    from tests.web.client import FixedRole

    app = create_app(FixedRole("biblio"))
    rest_in_memory()  # as the plugin does in Airflow's web server
    nothing = {"dags": [], "dag_runs": [], "task_instances": [], "hitl_details": [], "total_entries": 0}
    app.state.airflow = httpx.MockTransport(lambda _: httpx.Response(200, json=nothing))
    looks: list[Sampler] = []

    def look() -> None:
        looks.append(Sampler(server=True))
        looks[-1].__enter__()

    def say() -> list[str]:
        looks[-1].__exit__(None, None, None)
        return looks[-1].top()

    app.add_api_route(LOOK, look)
    app.add_api_route(SAY, say)
    return app


def pages(bed: Bed) -> list[Figure]:
    """The slowest page's 95th percentile against that of an empty page, and the size of the first one."""
    today = datetime.now(settings().zone).date()
    database = bed.large_ledger(today)
    [(deliveries,)] = bed.postgres.execute("SELECT count(*) FROM deliveries", database=database)
    app, folder = "tests.bench.pages:served", bed.postgres.socket_folder
    with CallbackReceiver(socket_folder=folder, database=database, app=app) as server:
        headers = {"sec-fetch-site": "same-origin"}
        with httpx.Client(base_url=server.root, headers=headers, timeout=60) as client:
            asked = {one.name: one for one in questions(today, known(bed.postgres, database))}
            for one in (*asked.values(), next(iter(asked.values()))):
                _p95(client, one, times=AT_ONCE)
            with _collected_beforehand():
                empty = _p95(client, EMPTY)
                times = {name: _p95(client, one) for name, one in asked.items()}
            slowest = sorted(times.items(), key=lambda item: -item[1])
            client.get(LOOK).raise_for_status()
            _p95(client, asked[slowest[0][0]])
            steps = client.get(SAY).json()
            parts = _parts_of_first_page(client)
            empty_size = len(client.get(EMPTY.path).content) / 1024
    return [
        Figure(
            name="pages_p95",
            value=slowest[0][1] * 1000,
            unit="ms",
            baseline=empty * 1000,
            remarks=(
                f"{deliveries} deliveries, {AT_ONCE} at once, {len(times)} pages and searches; the slowest: "
                + ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in slowest[:6]),
                f"median of all pages {statistics.median(times.values()) * 1000:.0f} ms",
            ),
            steps=(slowest[0][0], *steps),
        ),
        Figure(
            name="first_page_size",
            value=sum(parts.values()),
            unit="KB",
            baseline=empty_size,
            remarks=("with its style and script, not compressed; baseline: the empty page without them",),
            steps=tuple(f"{name} {kilobytes:.0f} KB" for name, kilobytes in sorted(parts.items(), key=lambda p: -p[1])),
        ),
    ]


@contextmanager
def _collected_beforehand() -> Iterator[None]:
    """Those who ask are threads of this process, whose collector of garbage would hold all ten; no browser has one."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _parts_of_first_page(client: httpx.Client) -> dict[str, float]:
    """The page and each file that it loads, in KB, as they cross the wire without compression."""
    plain = {"accept-encoding": "identity"}
    html = client.get("/", headers=plain)
    files = re.findall(r'(?:<link[^>]* href|<script[^>]* src|<img[^>]* src)="(/[^"]+)"', html.text)
    sizes = {"page": len(html.content) / 1024}
    for path in dict.fromkeys(files):
        sizes[path.rpartition("/")[2]] = len(client.get(path, headers=plain).raise_for_status().content) / 1024
    return sizes


def _ask(client: httpx.Client, one: Asked) -> float:
    since = time.perf_counter()
    answer = client.post(one.path, data=one.form) if one.form else client.get(one.path)
    took = time.perf_counter() - since
    if answer.status_code not in (200, 303, 404):
        raise RuntimeError(f"{one.name}: HTTP {answer.status_code}")
    return took


def _p95(client: httpx.Client, one: Asked, *, times: int = TIMES) -> float:
    with ThreadPoolExecutor(AT_ONCE) as at_once:
        took = sorted(at_once.map(lambda _: _ask(client, one), range(times)))
    return took[int(len(took) * 0.95)]
