"""The first page on a day of November, beside an Airflow that says how far each stage is; and what the page says."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import httpx

from loan_reminders.domain.notices import Skip
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import DeliveryState, SkipReason
from loan_reminders.settings.library_toml import settings
from tests.scenes.builders import a_delivery, a_loan, a_notice, a_patron
from tests.scenes.ledger_letters import a_batch
from tests.scenes.ledger_runs import answer, extracted, ids, rows
from tests.web.client import browsing

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 30, 10, 42, tzinfo=PARIS)
TODAY = NOW.date()
POLICY = settings().policy()
STARTS = {"courtesy_notice": (7, 0), "overdue_notice": (10, 0), "first_reminder": (8, 0), "second_reminder": (8, 20),
          "registered_letter": (8, 40)}  # fmt: skip
S = DeliveryState


def said(hour: int, minute: int = 0) -> str:
    """A moment of the day as Airflow's API writes it."""
    return NOW.replace(hour=hour, minute=minute).astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass
class StagesOfAirflow:
    """Airflow's API as an httpx transport; a stage is done unless a test says otherwise.

    `causes` are what tasks left of their last try, by stage, task and place.
    """

    runs: dict[str, dict] = field(default_factory=dict)
    tasks: dict[str, list[dict]] = field(default_factory=dict)
    causes: dict[tuple[str, str, str], str] = field(default_factory=dict)
    paused: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    status: int = 200
    delay: float = 0
    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def begin(self, stage: str, state: str, *tasks: tuple[str, str], **more: object) -> None:
        """Today's run of a stage in this state, with these tasks."""
        start = said(*STARTS[stage])
        run = {"dag_id": stage, "dag_run_id": f"scheduled__{stage}", "state": state, "conf": {}, "start_date": start,
               "end_date": None if state in ("running", "queued") else said(10, 30)}  # fmt: skip
        self.runs[stage] = {**run, **more}
        self.tasks[stage] = [
            {"dag_id": stage, "task_id": name, "state": step, "try_number": 2, "end_date": said(10, 40),
             "logical_date": start, "trigger": {"created_date": said(9, 15)}} for name, step in tasks
        ]  # fmt: skip

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        path = unquote(request.url.path).removeprefix("/api/v2/")
        self.asked.append(path)
        await asyncio.sleep(self.delay)
        if self.status != 200:
            return httpx.Response(self.status, json={"detail": "No"})
        if path == "dags":
            assert request.url.params["tags"] == "relances"
            known = [
                {"dag_id": stage, "is_paused": stage in self.paused, "has_import_errors": stage in self.broken}
                for stage in (*STARTS, "watch")
            ]
            return httpx.Response(200, json={"dags": known, "total_entries": len(known)})
        if path == "dags/~/dagRuns/list":
            self.bodies.append(request.content)
            return httpx.Response(200, json={"dag_runs": list(self.runs.values())})
        if path.endswith("/xcomEntries/cause"):
            task = (path.split("/")[1], path.split("/")[5], request.url.params["map_index"])
            known = self.causes.get(task)
            return httpx.Response(200 if known else 404, json={"key": "cause", "value": known})
        [stage] = [name for name in STARTS if path.startswith(f"dags/{name}/dagRuns/")]
        return httpx.Response(200, json={"task_instances": self.tasks[stage]})


def run_of(
    ledger, stage: Stage, readers: int, *, lost: int = 0, close: bool = True, channel: Channel = Channel.EMAIL,
    day: date = TODAY, draft: bool = False,
) -> int:  # fmt: skip
    """A run of this stage on its day that told so many readers and lost some."""
    due = POLICY.rule(stage).due_date_on(day)
    name = f"{stage}{day}"
    loans = [
        a_loan(loan_id=f"{name}{n}", due_date=due, patron=a_patron(patron_id=f"P{name}{n}")) for n in range(readers)
    ]
    given_up = [
        a_loan(loan_id=f"Q{name}{n}", due_date=due, patron=a_patron(patron_id=f"Q{name}{n}")) for n in range(lost)
    ]
    sent = [a_delivery(channel=channel, notice=a_notice(stage=stage, loans=(loan,))) for loan in loans]
    run = extracted(ledger, [*loans, *given_up], stage=stage, reference_date=day, due_date=due, today=day,
                    dag_run_id=f"scheduled__{stage}")  # fmt: skip
    with ledger.planning(run.run_id) as planning:
        skips = [
            Skip(loan_id=one.loan_id, due_date=due, patron_id=one.patron.patron_id, reason=SkipReason.NO_RECIPIENT)
            for one in given_up
        ]
        planning.record(sent, skips)
    answers = [answer(one, S.ACCEPTED) for one in sent]
    with ledger.sender(run.run_id, channel) as sender:
        if not draft:
            sender.claim(ids(sent))
        if channel in (Channel.LETTER, Channel.REGISTERED_LETTER):
            sender.record_batch(a_batch(sent, f"{name}-{readers}", draft=draft), [] if draft else answers)
        else:
            sender.record(answers)
    rows(ledger, "UPDATE deliveries SET claimed_at = :at WHERE run_id = :id AND claimed_at IS NOT NULL",
         at=NOW.replace(day=day.day), id=run.run_id)  # fmt: skip
    if close:
        ledger.close_run(run.run_id)
        rows(ledger, "UPDATE runs SET closed_at = :at WHERE run_id = :id", id=run.run_id, at=NOW.replace(minute=3))
    return run.run_id


def forget(*people: str) -> None:
    """Let Airflow be asked anew, for everybody unless somebody is named."""
    from loan_reminders.web.runs import airflow_day
    from loan_reminders.web.shared_answers import forget_all

    for person in people or {key[0] for key in airflow_day._kept}:
        airflow_day.forget(person)
    forget_all()


def look(role: str = "biblio", status: int = 200) -> str:
    """The page as words, without its hard spaces; the ledger is asked anew."""
    from loan_reminders.web.shared_answers import forget_all

    forget_all()
    with browsing(role) as client:
        page = client.get("/")
    assert page.status_code == status
    return page.text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def look_twice(role: str = "biblio") -> None:
    """The page, loaded again at once; a client has one loop, as a web server has."""
    with browsing(role) as client:
        for _ in range(2):
            assert client.get("/").status_code == 200


def verdict(page: str) -> str:
    [found] = re.findall(r'<p class="verdict ([a-z]*)" role="status">.*?<strong>(.*?)</strong>', page)
    return " ".join(found).strip()


def card(page: str, name: str) -> str:
    """What the card of a stage says, without its tags."""
    [found] = [part for part in page.split('<li class="card">')[1:] if f"<h3>{name}</h3>" in part]
    return " ".join(re.sub(r"<[^>]+>", " ", found.partition("</li>")[0]).split())


def all_done(ledger, airflow) -> None:
    for stage in STARTS:
        airflow.begin(stage, "success")
    for stage in (Stage.COURTESY_NOTICE, Stage.FIRST_REMINDER, Stage.SECOND_REMINDER):
        run_of(ledger, stage, 3, lost=1)
    run_of(ledger, Stage.OVERDUE_NOTICE, 2)
    run_of(ledger, Stage.REGISTERED_LETTER, 0, channel=Channel.REGISTERED_LETTER)
