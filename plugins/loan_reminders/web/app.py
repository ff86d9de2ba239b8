"""The application below `/relances`, which Airflow's web server mounts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException
from fastapi.responses import RedirectResponse

from loan_reminders.web import access, books
from loan_reminders.web.batches import router as batches
from loan_reminders.web.callbacks import Door, callbacks
from loan_reminders.web.desk import router as desk
from loan_reminders.web.dispute import router as dispute
from loan_reminders.web.registered import router as registered
from loan_reminders.web.suppressions import router as suppressions


def create_app() -> FastAPI:
    """The pages of the librarians, each behind Airflow's login, and the SMS provider's door. Raises SettingsError."""
    door = Door()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        door.close()
        books.close()

    app = FastAPI(
        title="Relances", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, lifespan=lifespan
    )
    app.add_exception_handler(HTTPException, access.refused)
    app.include_router(callbacks(door))
    app.include_router(suppressions)
    app.include_router(batches)
    app.include_router(dispute)
    app.include_router(registered)
    app.include_router(desk)

    @app.get("/")
    def first_page() -> RedirectResponse:
        return RedirectResponse("lots", 303)

    return app
