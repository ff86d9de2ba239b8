"""What a stolen backup tells: of readers what the ledger is for, of servers nothing."""

from __future__ import annotations

from loan_reminders.domain.stages import Stage
from tests.e2e.conftest import run
from tests.security.copies import everything


def test_the_ledger_holds_no_secret_of_any_server(installation):
    """Of an installation in which a run was planned at least; other tests of it send by every channel."""
    run(installation, Stage.FIRST_REMINDER, dry_run=True)
    copy = everything(installation.postgres, "ledger")
    assert "montclar" in copy, "there is something in it"
    secrets = {installation.ils_password, installation.sms_key, installation.callback_token}
    assert {secret for secret in secrets if secret in copy} == set()
