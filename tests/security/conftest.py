"""Airflow's web code is imported here first: it warns of a client that its own dependencies bring."""

from tests.web import client as web_client  # noqa: F401
