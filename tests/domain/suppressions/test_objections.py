"""What a reader may refuse, and what he may not."""

import pytest

from loan_reminders.domain.stages import Channel
from loan_reminders.domain.suppressions.objections import ObjectionRefusal, ObjectionRefused, channel_to_refuse
from loan_reminders.french.refusals import sentence


@pytest.mark.parametrize(
    ("code", "refusal", "words"),
    [
        ("letter", ObjectionRefusal.LETTER, "réclame ses documents"),
        ("registered_letter", ObjectionRefusal.REGISTERED_LETTER, "mise en demeure"),
        ("pigeon", ObjectionRefusal.UNKNOWN_CHANNEL, "l'e-mail ou le SMS"),
        ("", ObjectionRefusal.UNKNOWN_CHANNEL, "l'e-mail ou le SMS"),
    ],
)
def test_a_letter_cannot_be_refused_and_it_says_why(code, refusal, words):
    with pytest.raises(ObjectionRefused) as refused:
        channel_to_refuse(code)
    assert refused.value.code is refusal
    assert words in sentence(refused.value)


def test_an_e_mail_and_a_text_can():
    assert [channel_to_refuse(code) for code in ("email", "sms")] == [Channel.EMAIL, Channel.SMS]
