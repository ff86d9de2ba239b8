"""Which refusals mean that an address is dead."""

import pytest

from loan_reminders.domain.email.bounce_verdict import Cause, cause, is_about_one_recipient, status_in, verdict
from loan_reminders.domain.email.feedback import BounceKind
from tests.scenes.bounce_samples import dsn, exim
from tests.scenes.refusals import REFUSALS

HARD, SOFT = BounceKind.HARD, BounceKind.SOFT


@pytest.mark.parametrize(
    ("status", "diagnostic", "kind"),
    [
        ("5.1.0", "", HARD),
        ("5.1.1", "", HARD),
        ("5.1.10", "", HARD),
        ("5.2.1", "", HARD),
        ("5.4.4", "", HARD),
        ("5.1.7", "", SOFT),
        ("5.1.8", "", SOFT),
        ("5.2.2", "user unknown", SOFT),
        ("5.2.3", "", SOFT),
        ("5.4.6", "", SOFT),
        ("5.7.1", "550 5.7.1 user unknown", SOFT),
        ("5.7.26", "", SOFT),
        ("4.1.1", "", SOFT),
        ("4.2.1", "", SOFT),
        ("5.0.0", "550 5.1.1 no such user", HARD),
        ("5.0.0", "550 5.7.1 no such user", SOFT),
        ("5.0.350", "550 5.0.350 remote said -> 550 5.1.10 not found", HARD),
        ("5.0.0", "550 No such user here", HARD),
        ("5.0.0", "550 Mailbox full", SOFT),
        ("5.0.0", "550 boîte aux lettres pleine pour cet utilisateur inconnu", SOFT),
        ("5.5.0", "550 mailbox unavailable", HARD),
        ("5.0.0", "554 delivery error", SOFT),
        ("4.0.0", "450 user unknown", SOFT),
        ("", "550 Utilisateur inconnu", HARD),
        ("", "L'adresse n'existe pas", HARD),
        ("", "450 user unknown", SOFT),
        ("", "550 blocked by policy: recipient unknown", SOFT),
        ("", "192.0.2.1 refused", SOFT),
        ("", "", SOFT),
        ("5.1.1.1", "", SOFT),
    ],
)
def test_a_refusal_means_a_dead_address_or_only_this_message(status, diagnostic, kind):
    assert verdict(status=status, diagnostic=diagnostic) is kind


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("550 5.1.1 x", "5.1.1"),
        ("550-5.2.2 a 5.1.1 b", "5.1.1"),
        ("10.5.1.1", ""),
        ("2.0.0 ok", ""),
        ("v5.1.12", "5.1.12"),
    ],
)
def test_an_enhanced_status_code_is_found_in_words_and_an_ip_address_is_none(text, status):
    assert status_in(text) == status


@pytest.mark.parametrize(("said", "why"), REFUSALS)
def test_what_servers_really_say(said, why):
    assert cause(said) is why


DEFINITE = [(said, why) for said, why in REFUSALS if said[:1] == "5"]


@pytest.mark.parametrize(("said", "why"), DEFINITE)
def test_an_answer_at_rcpt_and_a_report_of_it_are_judged_alike(said, why):
    from loan_reminders.gateways.email.bounce_reports import read

    asked = cause(said, code=int(said[:3])) is Cause.NO_SUCH_ADDRESS
    by_the_norm = read(dsn(status=status_in(said) or "5.0.0", diagnostic=f"smtp; {said}"))[1]
    in_a_text = read(exim(why=said))[1]
    assert [by_the_norm.kind is HARD, in_a_text.kind is HARD, why is Cause.NO_SUCH_ADDRESS] == [asked] * 3


@pytest.mark.parametrize("status", ["5.1.1", "5.1.0", "5.2.1", "5.1.10", "5.0.0", ""])
@pytest.mark.parametrize(
    ("said", "why"), [one for one in REFUSALS if one[1] not in (Cause.UNKNOWN, Cause.NO_SUCH_ADDRESS)]
)
def test_contrary_words_outrank_any_code(status, said, why):
    assert cause(said, status=status) is not Cause.NO_SUCH_ADDRESS


@pytest.mark.parametrize(
    ("said", "about_one"),
    [
        ("450 4.1.2 <l@gmial.example>: Recipient address rejected: Domain not found", True),
        ("450 4.1.1 <l@d.example>: Recipient address rejected: unverified address: Connection timed out", True),
        ("450 <l@d.example>: Recipient address rejected: Domain not found", True),
        ("452 4.2.2 mailbox full", True),
        ("452 mailbox full", True),
        ("450 4.2.0 <l@d.example>: Recipient address rejected: Greylisted", False),
        ("451 4.3.0 <l@d.example>: Temporary lookup failure", False),
        ("452 4.3.1 Insufficient system storage", False),
        ("451 4.3.2 Service temporarily unavailable", False),
        ("450 4.1.8 <bu@d.example>: Sender address rejected: Domain not found", False),
        ("452 4.5.3 sending quota of your account reached", False),
        ("451 later", False),
    ],
)
def test_a_later_that_names_the_recipient_says_nothing_of_the_others(said, about_one):
    assert is_about_one_recipient(said) is about_one
