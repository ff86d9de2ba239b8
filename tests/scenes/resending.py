"""Messages sent again on the servers of `world`."""

from __future__ import annotations

import pytest

from loan_reminders.domain.readers.resend import ResendRefused
from loan_reminders.gateways.email.mail_relay import Backoff, Security, SmtpAccount, SmtpRelay
from loan_reminders.gateways.sms.allmysms import AllMySmsAccount, AllMySmsGateway
from loan_reminders.ledger.runs.resends import PostgresResends
from loan_reminders.services.compose import email_composer, text_composer
from loan_reminders.services.readers.resend import Resending, resend_email, resend_text
from loan_reminders.settings.library_toml import TEMPLATES
from tests.scenes.world import ALWAYS_OPEN, BUDGET, SETTINGS

POLICY = SETTINGS.policy()


def work(world, now=None):
    now = now or world.clock()
    return Resending(
        resends=world.ledger.part(PostgresResends), source=lambda: world.ils, policy=POLICY, now=now, who="zoé"
    )


def email_again(world, patron_id="P1", *, relay=None, now=None):
    account = SmtpAccount(
        host="127.0.0.1", port=world.mail.port, envelope_sender=SETTINGS.email.sender_address, timeout_s=2,
        answer_timeout_s=2, security=Security.PLAIN,
    )  # fmt: skip
    return resend_email(
        work(world, now),
        patron_id,
        composer=lambda stage: email_composer(
            TEMPLATES, SETTINGS.email_identity(), stage=stage, clock=world.clock, redirect=world.redirect
        ),
        open_relay=relay or (lambda: SmtpRelay(account, backoff=Backoff(pauses=()))),
        bounce_address="retours@bu.example.org",
    )


def text_again(world, patron_id="P1", *, budget=BUDGET, window=ALWAYS_OPEN, provider=None):
    account = AllMySmsAccount(
        base_url=world.sms.base_url,
        login=world.sms.provider.login,
        api_key=world.sms.provider.api_key,
        login_in_clear=True,
    )
    return resend_text(
        work(world),
        patron_id,
        composer=lambda stage: text_composer(
            TEMPLATES,
            SETTINGS.text_rules(),
            stage=stage,
            library=SETTINGS.identity(),
            clock=world.clock,
            redirect=world.redirect,
        ),
        open_provider=provider
        or (lambda _: AllMySmsGateway(account, sender="BU Montclar", campaign="renvoi", read_timeout_s=2)),
        budget=budget,
        window=window,
    )


def refusal(send, *args, **changes):
    with pytest.raises(ResendRefused) as refused:
        send(*args, **changes)
    return refused.value.code
