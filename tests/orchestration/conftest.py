"""The use cases, and Airflow's own classes, on real servers."""

import pytest


@pytest.fixture
def world(ledger, tmp_path):
    from tests.orchestration.world import ListedLoans, World
    from tests.simulators.allmysms_server import AllMySmsServer
    from tests.simulators.smtp_sink import SmtpSink

    (tmp_path / "mail").mkdir()
    with SmtpSink(tmp_path / "mail") as mail, AllMySmsServer() as sms:
        yield World(ledger=ledger, ils=ListedLoans(), mail=mail, sms=sms)
