"""Airflow's REST API as the pages ask it, played behind an httpx transport: the wire is false, the client is ours."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, unquote

import httpx


class FakeAirflow:
    """What Airflow holds: questions by run and task, runs by DAG, DAGs that are paused; and what it was asked to do.

    `status` answers everything with that HTTP status; `silent` makes the connection fail.
    """

    def __init__(self) -> None:
        self.questions: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.runs: dict[str, list[dict[str, Any]]] = {}
        self.paused: set[str] = set()
        self.at_once = 1
        self.status, self.silent = 0, False
        self.changes: list[tuple[str, str, dict[str, Any]]] = []
        self.sessions: list[str] = []

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def ask(self, dag: str, run: str, task: str, options: list[str]) -> dict[str, Any]:
        """A task asks a person."""
        detail = {
            "options": options, "subject": "?", "created_at": "2026-11-27T08:41:00Z", "response_received": False,
            "responded_by_user": None, "responded_at": None, "chosen_options": None,
            "task_instance": {"task_id": task, "dag_id": dag, "dag_run_id": run},
        }  # fmt: skip
        self.questions[dag, run, task] = detail
        return detail

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.silent:
            raise httpx.ConnectError("no Airflow", request=request)
        self.sessions.append(request.headers.get("cookie", ""))
        if self.status:
            return httpx.Response(self.status, json={"detail": "in English"})
        path = [unquote(part) for part in request.url.raw_path.decode().partition("?")[0].split("/")[3:]]
        body = json.loads(request.content) if request.content else {}
        asked = parse_qs(request.url.query.decode())
        if request.method in ("POST", "PATCH"):
            self.changes.append((request.method, "/".join(path), body))
        return self._route(request.method, path, body, asked)

    def _route(self, method: str, path: list[str], body: dict[str, Any], asked: dict[str, list[str]]) -> httpx.Response:
        match [method, *path]:
            case ["GET", "dags", dag]:
                said = {"dag_id": dag, "is_paused": dag in self.paused, "max_active_runs": self.at_once}
                return httpx.Response(200, json=said)
            case ["GET", "dags", dag, "dagRuns"]:
                return self._list(dag, asked)
            case ["POST", "dags", dag, "dagRuns"]:
                return self._start(dag, body)
            case ["GET", "dags", dag, "dagRuns", run, "hitlDetails"]:
                found = [one for (d, r, _), one in self.questions.items() if (d, r) == (dag, run)]
                return httpx.Response(200, json={"hitl_details": found, "total_entries": len(found)})
            case ["PATCH", "dags", dag, "dagRuns", run, "taskInstances", task, "-1", "hitlDetails"]:
                return self._reply(self.questions.get((dag, run, task)), body)
        return httpx.Response(404, json={"detail": "?"})

    def _list(self, dag: str, asked: dict[str, list[str]]) -> httpx.Response:
        found = [
            one
            for one in self.runs.get(dag, ())
            if ("state" not in asked or one["state"] in asked["state"])
            and one["dag_run_id"].startswith(asked.get("run_id_prefix_pattern", [""])[0])
        ]
        return httpx.Response(200, json={"dag_runs": found, "total_entries": len(found)})

    def _start(self, dag: str, body: dict[str, Any]) -> httpx.Response:
        runs = self.runs.setdefault(dag, [])
        if any(one["dag_run_id"] == body["dag_run_id"] for one in runs):
            return httpx.Response(409, json={"detail": "exists"})
        run = {**body, "state": "queued", "run_after": "2026-11-30T09:00:00Z"}
        runs.append(run)
        return httpx.Response(200, json=run)

    def _reply(self, question: dict[str, Any] | None, body: dict[str, Any]) -> httpx.Response:
        if question is None:
            return httpx.Response(404, json={"detail": "?"})
        if question["response_received"]:
            return httpx.Response(409, json={"detail": "already"})
        question.update(
            response_received=True, chosen_options=body["chosen_options"], responded_at="2026-11-27T09:00:00Z",
            responded_by_user={"id": "1", "name": "zoé"},
        )  # fmt: skip
        return httpx.Response(200, json=question)
