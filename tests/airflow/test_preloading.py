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
from loan_reminders.settings import library_toml
preloading.on_starting(component=None)
print(json.dumps([sorted(sys.modules), library_toml.read_once.cache_info().currsize]))
"""


def imported_by_dags() -> set[str]:
    files = sorted((ROOT / "dags").glob("*.py"))
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    return {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


def test_a_process_that_starts_imports_what_dag_files_do_and_reads_no_settings():
    wanted = imported_by_dags()
    assert {"loan_reminders.operators", "loan_reminders.dag_arguments"} <= wanted
    done = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS], env=os.environ, capture_output=True, text=True, check=True
    )
    there, settings_read = json.loads(done.stdout.splitlines()[-1])
    assert wanted <= set(there)
    assert settings_read == 0


def test_the_plugin_tells_airflow_of_it():
    from loan_reminders.airflow_plugin import RemindersPlugin

    assert "loan_reminders.preloading" in [listener.__name__ for listener in RemindersPlugin.listeners]
