"""The little of Airflow's REST API that the demo and the end-to-end tests need."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

import requests

PATIENCE_S = 120
"""How long one answer of the API may take: a machine with two busy cores has been seen to need half a minute."""

PARTS = ("metadatabase", "scheduler", "dag_processor")


class AirflowApi:
    """Airflow's public API, logged in."""

    def __init__(self, url: str, *, user: str, password: str) -> None:
        self.url, self.user, self.password = url, user, password
        self.session = requests.Session()

    def close(self) -> None:
        self.session.close()

    def wait_until_healthy(self, *, timeout: float, alive: Any) -> None:
        """Wait for the scheduler and the DAG processor; `alive` raises when a process died."""

        def healthy() -> bool:
            try:
                answer = self.session.get(f"{self.url}/api/v2/monitor/health", timeout=5)
            except requests.RequestException:
                return False
            parts = answer.json() if answer.ok else {}
            return all(
                parts.get(name, {}).get("status") == "healthy"
                for name in ("metadatabase", "scheduler", "dag_processor")
            )

        _wait(healthy, "Airflow to be healthy", timeout=timeout, alive=alive)
        self.login()

    def login(self) -> None:
        answer = self.session.post(
            f"{self.url}/auth/token", json={"username": self.user, "password": self.password}, timeout=PATIENCE_S
        )
        answer.raise_for_status()
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def call(self, method: str, path: str, **options: Any) -> Any:
        answer = self.session.request(method, f"{self.url}/api/v2/{path}", timeout=PATIENCE_S, **options)
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: HTTP {answer.status_code} {answer.text[:500]}")
        return answer.json()

    def wait_for_dags(self, dag_ids: list[str], *, timeout: float, alive: Any) -> None:
        """Wait until every DAG was read; a DAG that cannot be read is told with Airflow's own words."""

        def read() -> bool:
            errors = self.call("GET", "importErrors")["import_errors"]
            if errors:
                raise RuntimeError("\n".join(f"{error['filename']}: {error['stack_trace']}" for error in errors))
            known = {dag["dag_id"] for dag in self.call("GET", "dags", params={"limit": 100})["dags"]}
            return known >= set(dag_ids)

        _wait(read, "the DAGs to be read", timeout=timeout, alive=alive)

    def unpause(self, dag_id: str) -> None:
        self.call("PATCH", f"dags/{dag_id}", json={"is_paused": False})

    def pause(self, dag_id: str) -> None:
        self.call("PATCH", f"dags/{dag_id}", json={"is_paused": True})

    def keep_connection(self, conn_id: str, **fields: Any) -> None:
        """Keep a connection in Airflow's database, in the place of the one it may have there."""
        entity = {**fields, "connection_id": conn_id, "extra": json.dumps(fields.get("extra", {}))}
        create = {"action": "create", "entities": [entity], "action_on_existence": "overwrite"}
        errors = self.call("PATCH", "connections", json={"actions": [create]})["create"]["errors"]
        if errors:
            raise RuntimeError(f"connection {conn_id}: {errors}")

    def trigger(self, dag_id: str, **conf: Any) -> str:
        run = self.call("POST", f"dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf})
        return str(run["dag_run_id"])

    def backfill(self, dag_id: str, first: datetime, last: datetime) -> int:
        """Run every missed tick between two instants, as the form of the UI does."""
        body = {
            "dag_id": dag_id,
            "from_date": first.isoformat(),
            "to_date": last.isoformat(),
            "reprocess_behavior": "none",
            "max_active_runs": 1,
        }
        return int(self.call("POST", "backfills", json=body)["id"])

    def delete_run(self, dag_id: str, run_id: str) -> None:
        """A run that is queued or has ended."""
        url = f"{self.url}/api/v2/dags/{dag_id}/dagRuns/{run_id}"
        self.session.delete(url, timeout=PATIENCE_S).raise_for_status()

    def runs(self, dag_id: str, run_type: str) -> list[dict[str, Any]]:
        return [run for run in self.call("GET", f"dags/{dag_id}/dagRuns")["dag_runs"] if run["run_type"] == run_type]

    def wait_for_backfill(self, dag_id: str, count: int, *, timeout: float, alive: Any) -> list[dict[str, Any]]:
        """Wait until so many backfilled runs ended."""

        def ended() -> bool:
            runs = self.runs(dag_id, "backfill")
            return len(runs) >= count and all(run["state"] in ("success", "failed") for run in runs)

        _wait(ended, f"the backfill of {dag_id}", timeout=timeout, alive=alive)
        return self.runs(dag_id, "backfill")

    def wait_for_question(self, dag_id: str, run_id: str, *, timeout: float, alive: Any) -> dict[str, Any]:
        """Wait until a task of this run asks a person."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/hitlDetails"
        _wait(lambda: self.call("GET", path)["total_entries"], "a question", timeout=timeout, alive=alive)
        return dict(self.call("GET", path)["hitl_details"][0])

    def answer(self, dag_id: str, run_id: str, task_id: str, option: str, **form: str | None) -> None:
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails"
        self.call("PATCH", path, json={"chosen_options": [option], "params_input": form})

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        return dict(self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}"))

    def wait_for_run(self, dag_id: str, run_id: str, *, timeout: float, alive: Any) -> dict[str, Any]:
        """Wait until a run ended, whatever its end."""
        _wait(
            lambda: self.run(dag_id, run_id)["state"] in ("success", "failed"),
            f"{dag_id} to end",
            timeout=timeout,
            alive=alive,
        )
        return self.run(dag_id, run_id)

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        return list(self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"])


def _wait(done: Any, what: str, *, timeout: float, alive: Any) -> None:
    deadline = time.monotonic() + timeout
    while not done():
        alive()
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:.0f} s for {what}")
        time.sleep(0.3)
