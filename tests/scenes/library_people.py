"""People who may something in some libraries only, and the pages of several libraries in this process."""

from __future__ import annotations

from contextlib import contextmanager

from fastapi import HTTPException
from starlette.testclient import TestClient

from loan_reminders.settings.libraries import current_library


class PerLibrary:
    """An `Authenticator`: one person, and the rights he has in each library; without a name, a stranger."""

    def __init__(self, name, **rights):
        self.name = name
        self.rights = rights

    async def person(self, request):
        from loan_reminders.web.access import Person, Right

        self._known()
        mine = self.rights.get(current_library(), ())
        return Person(name=self.name, rights=frozenset(map(Right, mine)))

    async def libraries(self, request, among):
        self._known()
        return tuple(code for code in among if {"see", "act"} & set(self.rights.get(code, ())))

    def _known(self):
        if not self.name:
            raise HTTPException(401, "Not authenticated")


@contextmanager
def browsing_libraries(name="", *, transport=None, **rights):
    """A client of the pages of all libraries, below the address where Airflow puts them, as on one of our own pages.

    `transport` answers in the place of Airflow's API.
    """
    from starlette.applications import Starlette

    from loan_reminders.web.app import create_app
    from loan_reminders.web.libraries.chooser import OfOneLibrary

    airflow = Starlette()
    app = create_app(PerLibrary(name, **rights))
    if transport is not None:
        [of_each] = [route.app for route in app.routes if isinstance(getattr(route, "app", None), OfOneLibrary)]
        of_each.pages.state.airflow = transport
    airflow.mount("/relances", app)
    headers = {"sec-fetch-site": "same-origin", "accept": "text/html"}
    with TestClient(airflow, headers=headers, follow_redirects=False) as client:
        yield client
