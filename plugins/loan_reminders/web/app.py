"""The application below `/relances`, which Airflow's web server mounts."""

from __future__ import annotations

import gc

from fastapi import FastAPI

from loan_reminders.settings.libraries import several
from loan_reminders.web import page
from loan_reminders.web.access import AirflowAuthenticator, Authenticator
from loan_reminders.web.desk import router as desk
from loan_reminders.web.dispute.flags import router as dispute_flags
from loan_reminders.web.dispute.loan_file import router as dispute
from loan_reminders.web.home import router as home
from loan_reminders.web.journal import router as journal
from loan_reminders.web.letters.batch_list import router as batch_list
from loan_reminders.web.letters.batches import router as batches
from loan_reminders.web.letters.printing import router as printing
from loan_reminders.web.libraries.chooser import several_libraries
from loan_reminders.web.marks.gap_page import router as gap
from loan_reminders.web.messages.page import router as messages
from loan_reminders.web.reader_rights.asked import router as reader_rights
from loan_reminders.web.reader_rights.erasure import router as reader_erasure
from loan_reminders.web.readers.actions import router as reader_actions
from loan_reminders.web.readers.corrections import router as corrections
from loan_reminders.web.readers.reader import router as reader
from loan_reminders.web.readers.search import router as readers
from loan_reminders.web.registered.registered_letters import router as registered
from loan_reminders.web.runs.airflow_day import goes_on
from loan_reminders.web.runs.missed_days import router as missed_days
from loan_reminders.web.runs.questions import router as questions
from loan_reminders.web.runs.run_page import router as run_page
from loan_reminders.web.runs.today import router as today
from loan_reminders.web.sms.callbacks import callbacks_router
from loan_reminders.web.sms.choices import router as sms_choices
from loan_reminders.web.statistics.costs import router as costs
from loan_reminders.web.statistics.effect_page import router as effect
from loan_reminders.web.statistics.page import router as statistics
from loan_reminders.web.suppressions.suppression_list import router as suppressions


def create_app(authenticator: Authenticator | None = None) -> FastAPI:
    """The pages of the librarians, each behind Airflow's login, and what the SMS provider calls. Raises SettingsError.

    `authenticator` says who asks; without it Airflow does. Of several libraries, each has these pages below its code.
    """
    asked = authenticator or AirflowAuthenticator()
    return several_libraries(_pages(asked), asked) if several() else _pages(asked)


def rest_in_memory() -> None:
    """Let Python's garbage collector leave alone what is there once the web server has made its applications.

    Airflow's own half a million objects stay as long as the process. To look through them all takes a fifth of a
    second, during which every page waits, and many requests at once make that happen again and again. Airflow does
    the same in the processes that it forks (`gc.freeze`).
    """
    gc.collect()
    gc.freeze()


def _pages(authenticator: Authenticator) -> FastAPI:
    app = page.bare_application(authenticator)
    app.state.goes_on = goes_on
    for router in (
        callbacks_router(),
        home,
        suppressions,
        sms_choices,
        batches,
        dispute,
        dispute_flags,
        registered,
        desk,
        statistics,
        effect,
        costs,
        today,
        readers,
        reader_actions,
        reader_rights,
        reader_erasure,
        reader,
        batch_list,
        printing,
        journal,
        corrections,
        messages,
        missed_days,
        questions,
        gap,
        run_page,
    ):
        app.include_router(router)
    return app
