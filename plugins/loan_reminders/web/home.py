"""The style and the script of all pages, and what an administrator wants to know of the installation."""

from __future__ import annotations

import os
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse

from loan_reminders.domain.errors import ReminderError
from loan_reminders.french.refusals import sentence
from loan_reminders.hooks.sms_callback import callback_networks, callback_token
from loan_reminders.settings.libraries import current_library
from loan_reminders.settings.library_toml import settings
from loan_reminders.web import ledger_access
from loan_reminders.web.guard import AdministerRoute, KnownRoute
from loan_reminders.web.page import At

_STATIC = Path(__file__).parent / "static"

known = APIRouter(route_class=KnownRoute)
administered = APIRouter(route_class=AdministerRoute)


@known.get("/static/relances.css")
async def style(request: Request) -> Response:
    """The style of all pages."""
    return _file(request, "relances.css", "text/css")


@known.get("/static/pages.css")
async def style_of_pages(request: Request) -> Response:
    """The style of what single pages have of their own."""
    return _file(request, "pages.css", "text/css")


@known.get("/static/relances.js")
async def script(request: Request) -> Response:
    """What makes the pages more comfortable; each works without it."""
    return _file(request, "relances.js", "text/javascript")


def _file(request: Request, name: str, media_type: str) -> Response:
    """A file for whoever is logged in; of several libraries, for whom this one is: nothing else tells that it is there.

    The pages of several libraries ask for the files of the page where one is chosen.
    """
    if current_library() is not None and not request.state.person.rights:
        raise HTTPException(403)
    return FileResponse(_STATIC / name, media_type=media_type)


@administered.get("/installation")
def installation(at: At) -> Response:
    """What this installation is set to, without any secret; and whether its ledger answers."""
    config = settings()
    try:
        ledger_access.letters().batches(limit=1)
        ledger, mood = "répond", "good"
    except ReminderError as error:
        ledger, mood = sentence(error), "bad"
    networks = callback_networks()
    facts = (
        ("Bibliothèque", f"{config.library.name} ({config.library.code})", ""),
        ("Fuseau horaire", config.library.time_zone, ""),
        ("Réglages", os.environ.get("REMINDERS_CONFIG") or "library.toml du projet", ""),
        ("Registre", ledger, mood),
        (
            "Envois détournés ([redirect])",
            *(("non", "good") if config.redirect is None else ("oui : rien n'atteint les lecteurs", "wait")),
        ),
        (
            "Rappels du prestataire SMS",
            *(("fermés : pas de jeton", "wait") if callback_token() is None else ("ouverts", "good")),
        ),
        ("Réseaux d'où ils sont admis", ", ".join(map(str, networks)) or "tous", ""),
    )
    return at.html("installation.html.j2", facts=facts)


router = APIRouter()
router.include_router(known)
router.include_router(administered)
