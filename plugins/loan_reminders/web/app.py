"""The application below `/relances`, which Airflow's web server mounts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from loan_reminders.web import ledger_access as books
from loan_reminders.web import page
from loan_reminders.web.access import AirflowGate, Gate
from loan_reminders.web.desk import router as desk
from loan_reminders.web.dispute.loan_file import router as dispute
from loan_reminders.web.entrance import router as entrance
from loan_reminders.web.letters.batches import router as batches
from loan_reminders.web.registered.registered_letters import router as registered
from loan_reminders.web.shield import Shield
from loan_reminders.web.sms.callbacks import Door, callbacks
from loan_reminders.web.suppressions.suppression_list import router as suppressions


def create_app(gate: Gate | None = None) -> FastAPI:
    """The pages of the librarians, each behind Airflow's login, and the SMS provider's door. Raises SettingsError.

    `gate` says who asks; without it Airflow does.
    """
    door = Door()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        door.close()
        books.close()

    app = FastAPI(
        title="Relances", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, lifespan=lifespan
    )
    app.state.gate = gate or AirflowGate()
    app.add_middleware(Shield)
    app.add_exception_handler(HTTPException, page.refused)
    app.add_exception_handler(RequestValidationError, page.unreadable)
    for router in (callbacks(door), entrance, suppressions, batches, dispute, registered, desk):
        app.include_router(router)
    return app
