"""What DAG files import is there before Airflow forks for them; nothing that a librarian may change is."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys

from loan_reminders.settings.library_toml import ROOT

IN_ANOTHER_PROCESS = """
import json, sys
from loan_reminders import preloading
preloading.on_starting(component=None)
print(json.dumps(sorted(sys.modules)))
"""


def imported_by_dags() -> set[str]:
    files = sorted((ROOT / "dags").glob("*.py"))
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    return {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


def test_a_process_that_starts_imports_what_dag_files_do_and_reads_no_settings():
    wanted = imported_by_dags()
    assert {"loan_reminders.operators", "loan_reminders.dag_arguments"} <= wanted
    without_settings = {**os.environ, "REMINDERS_CONFIG": "/nowhere/library.toml"}
    done = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS], env=without_settings, capture_output=True, text=True, check=True
    )
    assert wanted <= set(json.loads(done.stdout.splitlines()[-1]))


def test_the_plugin_tells_airflow_of_it():
    from loan_reminders.airflow_plugin import RemindersPlugin

    assert "loan_reminders.preloading" in [listener.__name__ for listener in RemindersPlugin.listeners]
