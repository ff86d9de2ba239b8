"""What every DAG file imports, imported once by each lasting process of Airflow, before it forks.

Airflow's DAG processor forks for each file, twice a minute, and its executors fork for each task: what their parent has
imported already costs these nothing. Airflow itself imports beforehand only modules of its own (`[dag_processor]
parsing_pre_import_modules`, Airflow 3.3). The files of the libraries are read, too: each fork looks whether one changed
since, and reads that one anew, as it does the words of messages; so what a librarian changes counts at the next look.

Python's garbage collector then leaves alone what is there: a fork that makes the DAGs of a hundred libraries would look
through all of Airflow, half a million objects, several times over.
"""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Any

from airflow.listeners import hookimpl

from loan_reminders.settings.all_libraries import read_beforehand

MODULES = (
    "babel.dates",
    "email_validator",
    "loan_reminders.dag_arguments",
    "loan_reminders.operators",
    "loan_reminders.rendering.sms.renderer",
)
"""What the DAG files import, and what looks at the words of their SMS; nothing that opens a connection."""


@hookimpl
def on_starting(component: Any) -> None:
    """Airflow calls this when a scheduler, a DAG processor or a triggerer starts."""
    for name in MODULES:
        import_module(name)
    read_beforehand()
    gc.collect()
    gc.freeze()
