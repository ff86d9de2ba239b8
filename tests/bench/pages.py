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
from datetime import date, datetime, timedelta

import httpx
from fastapi import FastAPI

from loan_reminders.settings.library_toml import settings
from tests.bench.bed import Bed
from tests.bench.report import Figure, parts
from tests.bench.sampler import Sampler
from tests.simulators.callback_receiver import CallbackReceiver
from tests.simulators.postgres import EmbeddedPostgres

AT_ONCE, TIMES = 10, 60
"""Requests under way together, and how often each page is asked for."""
LOOK, SAY = "/mesure/debut", "/mesure/fin"
"""Where the server is asked to look at what it does, and to say which steps took most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question a librarian asks of the pages; `form` is what the search box sends.

    Where several `paths` are given, they are asked for in turn: nothing that one answer keeps helps the next.
    """

    name: str
    paths: Sequence[str]
    form: dict[str, str] = field(default_factory=dict)


EMPTY = Asked(name="empty page", paths=("/nulle-part",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is asked for is there to be found: a reader, a run, a batch, registered letters."""

    reader_number: int
    run: int
    batch: int
    registered: str
    number: str
    surname: str
    first_name: str
    reference: str
    tracking_number: str


_KNOWN = """
    SELECT reader_number, (SELECT max(run_id) FROM runs WHERE stage = 'first_reminder'),
           (SELECT max(batch_id) FROM letter_batches), (SELECT delivery_id FROM registered_letters LIMIT 1),
           substr(patron_id, 2), split_part(name, ' ', 1), split_part(name, ' ', 2),
           (SELECT reference FROM letters LIMIT 1), (SELECT tracking_number FROM registered_letters LIMIT 1)
    FROM readers OFFSET (SELECT count(*) / 3 FROM readers) LIMIT 1
"""


def known(postgres: EmbeddedPostgres, database: str) -> Known:
    """What the searches of the bench look for."""
    [found] = postgres.execute(_KNOWN, database=database)
    reader, run, batch, registered, number, surname, first_name, reference, tracking = found
    return Known(
        reader_number=reader,
        run=run,
        batch=batch,
        registered=registered,
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
    spaced = " ".join(mobile[place : place + 2] for place in range(0, 10, 2))
    typed = {
        "card": f"2{one.number}",
        "patron id": f"P{one.number}",
        "name": one.surname.lower(),
        "name and first name": f"{one.first_name[:3]} {one.surname[:3]}",
        "e-mail": f"lecteur{one.number}@etu.example.org",
        "phone": spaced,
        "barcode": f"C{one.number}",
        "loan": f"L{one.number}",
        "letter": one.reference,
        "registered number": one.tracking_number,
        "nobody": "zzzzzzzz",
    }
    reader = f"/lecteurs/{one.reader_number}"
    pages = {
        "first page": "/",
        "desk": "/bureau",
        "search": "/lecteurs",
        "a reader": reader,
        "his erasure": f"{reader}/effacement",
        "held": "/lecteurs/suspendus",
        "batches": "/lots",
        "older batches": "/lots?page=20",
        "a batch": f"/lots/{one.batch}",
        "registered": "/recommandes",
        "a registered letter": f"/recommandes/{one.registered}",
        "to correct": "/a-corriger",
        "suppressions": "/desinscriptions",
        "SMS agreements": "/accords-sms",
        "messages": "/messages",
        "statistics": "/statistiques",
        "statistics of a year": f"/statistiques{year}",
        "effect": "/statistiques/effet",
        "costs": "/statistiques/couts",
        "missed days": "/tournees/jours-manques",
        "a run": f"/tournees/{one.run}",
        "ledger": "/registre",
        "journal": "/journal",
    }
    readers = [f"/lecteurs/{one.reader_number + place}" for place in range(TIMES)]
    lists = {
        "batch of a letter": ("/lots/recherche", {"reference": one.reference}),
        "registered letters": ("/recommandes/recherche", {"q": one.tracking_number}),
        "suppressions": ("/desinscriptions/recherche", {"numero": spaced}),
    }
    return [
        *(Asked(name=name, paths=(path,)) for name, path in pages.items()),
        Asked(name="another reader each time", paths=readers),
        *(
            Asked(name=f"search by {name}", paths=("/lecteurs",), form={"recherche": words})
            for name, words in typed.items()
        ),
        *(Asked(name=f"search of {name}", paths=(path,), form=form) for name, (path, form) in lists.items()),
    ]


def never_asked_before(today: date, *, days: range) -> Sequence[Asked]:
    """Figures of a year, another each time: nothing of them is kept from the last time, and all is drawn anew.

    The years end so many days ago.
    """
    periods = [f"?du={today - timedelta(days=365 + day)}&au={today - timedelta(days=day)}" for day in days]
    return [
        Asked(name="statistics", paths=[f"/statistiques{period}" for period in periods]),
        Asked(name="costs", paths=[f"/statistiques/couts{period}" for period in periods]),
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
    """95th percentiles: the slowest page, figures drawn anew, each against an empty page; and the first page's size."""
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
                empty_alone = _p95(client, EMPTY, at_once=1)
                alone = {
                    one.name: _p95(client, one, at_once=1)
                    for one in never_asked_before(today, days=range(1, 1 + TIMES))
                }
            slowest = sorted(times.items(), key=lambda item: -item[1])
            steps = _steps(client, asked[slowest[0][0]])
            slowest_alone = max(alone, key=lambda name: alone[name])
            drawn = {one.name: one for one in never_asked_before(today, days=range(1 + TIMES, 1 + 2 * TIMES))}
            drawn_steps = _steps(client, drawn[slowest_alone], at_once=1)
            sizes = _parts_of_first_page(client)
            empty_size = len(client.get(EMPTY.paths[0]).content) / 1024
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
            name="year_drawn_anew",
            value=max(alone.values()) * 1000,
            unit="ms",
            baseline=empty_alone * 1000,
            remarks=(
                "one after the other, a year that nobody asked for before: "
                + ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in alone.items()),
            ),
            steps=(slowest_alone, *drawn_steps),
        ),
        Figure(
            name="first_page_size",
            value=sum(sizes.values()),
            unit="KB",
            baseline=empty_size,
            remarks=("with its style and script, not compressed; baseline: the empty page without them",),
            steps=parts(sum(sizes.values()), **sizes),
        ),
    ]


def _steps(client: httpx.Client, one: Asked, *, at_once: int = AT_ONCE) -> list[str]:
    """Which steps of the server take most while it answers; a pass that nobody times."""
    client.get(LOOK).raise_for_status()
    _p95(client, one, at_once=at_once)
    found: list[str] = client.get(SAY).json()
    return found


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
    """The page, the drawings in it and each file that it loads, in KB, as they cross the wire without compression."""
    plain = {"accept-encoding": "identity"}
    html = client.get("/", headers=plain)
    files = re.findall(r'(?:<link[^>]* href|<script[^>]* src|<img[^>]* src)="(/[^"]+)"', html.text)
    drawings = sum(map(len, re.findall(rb"<svg.*?</svg>", html.content, re.DOTALL)))
    sizes = {"HTML": (len(html.content) - drawings) / 1024, "icons and bars": drawings / 1024}
    for path in dict.fromkeys(files):
        sizes[path.rpartition("/")[2]] = len(client.get(path, headers=plain).raise_for_status().content) / 1024
    return sizes


def _ask(client: httpx.Client, one: Asked, number: int) -> float:
    path = one.paths[number % len(one.paths)]
    since = time.perf_counter()
    answer = client.post(path, data=one.form) if one.form else client.get(path)
    took = time.perf_counter() - since
    if answer.status_code not in (200, 303, 404):
        raise RuntimeError(f"{one.name}: HTTP {answer.status_code}")
    return took


def _p95(client: httpx.Client, one: Asked, *, times: int = TIMES, at_once: int = AT_ONCE) -> float:
    with ThreadPoolExecutor(at_once) as threads:
        took = sorted(threads.map(lambda number: _ask(client, one, number), range(times)))
    return took[int(len(took) * 0.95)]
