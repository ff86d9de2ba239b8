"""Airflow reads its configuration at import: a folder of its own, this repository's DAGs and plugins, no examples."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

HOME = tempfile.mkdtemp(prefix="airflow-")
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
ROOT = Path(__file__).resolve().parents[2]
os.environ.update(
    AIRFLOW_HOME=HOME,
    AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "dags"),
    AIRFLOW__CORE__PLUGINS_FOLDER=str(ROOT / "plugins"),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
)


@pytest.fixture
def world(ledger, tmp_path):
    from tests.orchestration.world import ListedLoans, World
    from tests.simulators.allmysms_server import AllMySmsServer
    from tests.simulators.smtp_sink import SmtpSink

    (tmp_path / "mail").mkdir()
    with SmtpSink(tmp_path / "mail") as mail, AllMySmsServer() as sms:
        yield World(ledger=ledger, ils=ListedLoans(), mail=mail, sms=sms)
