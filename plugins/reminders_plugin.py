"""Where the package is not installed, Airflow finds its plugin here, in the plugins folder."""

from __future__ import annotations

from loan_reminders import airflow_plugin

if not airflow_plugin.is_installed():
    RemindersPlugin = airflow_plugin.RemindersPlugin
