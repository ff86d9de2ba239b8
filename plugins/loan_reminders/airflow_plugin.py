"""The librarians' pages and what the SMS provider calls, for Airflow's web server; when the DAGs may run, and from
when they are late."""

from __future__ import annotations

from functools import cached_property
from importlib.metadata import entry_points
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from loan_reminders import preloading, run_listener
from loan_reminders.timetables import UpToNowTimetable
from loan_reminders.watching.first_queued import FirstQueuedAt


class RemindersPlugin(AirflowPlugin):
    """Adds « Relances » to the navigation; the pages are imported by the web server alone."""

    name = "relances"
    external_views = [  # noqa: RUF012 - Airflow reads it on the class
        {
            "name": "Relances",
            "href": "relances/",
            "destination": "nav",
            "url_route": "relances",
            "nav_top_level": True,
        },
        {
            "name": "Relances",
            "href": "relances/tournees/airflow?dag={DAG_ID}&tournee={RUN_ID}",
            "destination": "dag_run",
            "url_route": "relances-tournee",
        },
    ]

    timetables = [UpToNowTimetable]  # noqa: RUF012
    deadline_references = [FirstQueuedAt]  # noqa: RUF012
    listeners = [run_listener, preloading]  # noqa: RUF012

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]  # a list there
        """The application below `/relances`."""
        from loan_reminders.web.app import create_app, rest_in_memory

        app = create_app()
        rest_in_memory()
        return [{"app": app, "url_prefix": "/relances", "name": "Relances"}]


def is_installed() -> bool:
    """Whether Airflow finds this plugin by its entry point, because the package is installed.

    The file in the plugins folder then leaves it to the package: of a plugin that comes twice Airflow takes the first,
    and tells every user of an import error.
    """
    return RemindersPlugin.name in entry_points(group="airflow.plugins").names
