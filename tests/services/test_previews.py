"""Messages made for a look: in their reader's language, with their cost and the files of their sentences."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from loan_reminders.domain.errors import RecipientError, TemplateError
from loan_reminders.domain.stages import Channel, Stage
from loan_reminders.domain.states import Refusal
from loan_reminders.services.previews import Previews, real_delivery, samples
from loan_reminders.settings.library_toml import TEMPLATES, settings
from tests.scenes.builders import a_loan, a_patron

NOW = datetime(2026, 11, 27, 10, tzinfo=UTC)


def previews(templates=TEMPLATES):
    ours = settings()
    return Previews(
        templates, identity=ours.email_identity(), rules=ours.text_rules(), layout=ours.letter_layout(),
        clock=lambda: NOW,
    )  # fmt: skip


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS, Channel.LETTER])
def test_a_reader_without_the_contact_cannot_get_the_message(channel):
    nothing = a_patron(email=Refusal.MISSING, mobile=Refusal.NOT_MOBILE, address=Refusal.HOMELESS)
    with pytest.raises(RecipientError):
        real_delivery(a_loan(patron=nothing), stage=Stage.FIRST_REMINDER, channel=channel)


def test_templates_that_are_not_there_are_told(tmp_path):
    delivery = real_delivery(a_loan(), stage=Stage.OVERDUE_NOTICE, channel=Channel.EMAIL)
    with pytest.raises(TemplateError):
        previews(tmp_path).email(delivery)


def test_an_e_mail_of_a_real_loan():
    made = previews().email(real_delivery(a_loan(), stage=Stage.OVERDUE_NOTICE, channel=Channel.EMAIL))
    assert "hier" in made.subject
    assert "Introduction à l'économie" in made.text
    assert made.html.lstrip().startswith("<!DOCTYPE html>")


def test_an_sms_and_what_its_template_holds():
    made = previews().sms(real_delivery(a_loan(), stage=Stage.OVERDUE_NOTICE, channel=Channel.SMS))
    assert (made.segments, made.room) == (1, 160)
    assert made.septets <= 160
    assert {one.character for one in made.dear} >= {"ê", "«", "»"}
    assert not {one.character for one in made.dear} & set(made.text)


@pytest.mark.parametrize("stage", list(Stage))
def test_each_named_file_is_there(stage):
    ours = settings()
    for channel in Channel:
        for language in previews().languages(stage, channel):
            [delivery, _] = [
                one.delivery
                for one in samples(
                    ours.policy(), ours.identity(), stage=stage, channel=channel, language=language, today=NOW.date()
                )
            ]
            assert delivery.channel is channel
            for part in previews().parts(stage, channel, language):
                assert part.file.startswith("library.toml") or (TEMPLATES.parent / part.file).is_file()


def test_languages_are_named_in_french():
    assert previews().languages(Stage.OVERDUE_NOTICE, Channel.EMAIL) == {"fr": "français", "en": "anglais"}
