"""Airflow's own REST API, asked with the session of whoever looks at the page: he gets what Airflow lets him.

The request stays in this process: it goes to the application that also serves these pages, so neither a proxy nor a
certificate stands in between. Nothing else in this room knows the API (`/api/v2`, Airflow 3.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import httpx
from fastapi import Depends, Request

from loan_reminders.domain.errors import ReminderError
from loan_reminders.web.access import airflow_application

TIMEOUT = 10.0
"""Seconds before Airflow's API is called silent."""
_SESSION = ("authorization", "cookie")


class AirflowSilent(ReminderError):
    """Airflow's API did not answer, or answered with an error of its own: what it knows is not known now."""


class AirflowRefused(ReminderError):
    """Airflow's API refused: `status` 401 or 403 (no permission), 404, 409 (already done), 400 or 422."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class AirflowApi:
    """Airflow's API for one request of ours; a route asks for it as `Airflow`."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def get(self, path: str, **query: Any) -> Any:
        """What is at `path` below `/api/v2/` (`dags/~/dagRuns`), as JSON. Raises AirflowSilent, AirflowRefused."""
        return await self._ask("GET", path, query=query)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The answer to a POST of JSON. Raises AirflowSilent, AirflowRefused."""
        return await self._ask("POST", path, body=body)

    async def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """The answer to a PATCH of JSON. Raises AirflowSilent, AirflowRefused."""
        return await self._ask("PATCH", path, body=body)

    async def _ask(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None
    ) -> Any:
        headers = {name: value for name in _SESSION if (value := self._request.headers.get(name))}
        transport, root = airflow_application(self._request)
        try:
            async with httpx.AsyncClient(transport=transport, base_url=f"http://airflow{root}", timeout=TIMEOUT) as api:
                answer = await api.request(method, f"api/v2/{path}", params=query, json=body, headers=headers)
            found = answer.json() if answer.content else None
        except Exception as error:  # whatever goes wrong on the way is one thing to the page: no answer
            raise AirflowSilent(type(error).__name__) from None
        if answer.status_code >= 500:
            raise AirflowSilent(f"HTTP {answer.status_code}")
        if answer.status_code >= 400:
            raise AirflowRefused(answer.status_code)
        return found


async def airflow_api(request: Request) -> AirflowApi:
    """The API for whoever asks for a page."""
    return AirflowApi(request)


Airflow = Annotated[AirflowApi, Depends(airflow_api)]
