"""Check every template of a run's stages, before the ILS is read and before anything is planned or sent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import partial

from loan_reminders.domain.errors import TemplateError
from loan_reminders.domain.letters.batches import LetterLayout
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.sms.text import TextRules
from loan_reminders.domain.stages import Channel, StageRule
from loan_reminders.rendering.template_folders import TemplatePlace
from loan_reminders.services.compose import check_texts


def check_templates(
    templates: TemplatePlace,
    *,
    rules: Iterable[StageRule],
    library: LibraryIdentity,
    layout: LetterLayout,
    text_rules: TextRules,
    today: date,
) -> None:
    """Compile the templates of these stages, for the channels they use, and lay out letters of test.

    Raises TemplateError with one line a fault (file, line, fault), and for letters LettersNotPrinted or SettingsError
    when the engine or its fonts are at fault.
    """
    from loan_reminders.rendering.email.renderer import check_email_templates
    from loan_reminders.rendering.letters.renderer import LetterRenderer
    from loan_reminders.rendering.templates import Templates

    words = Templates(templates)
    letters = LetterRenderer(templates, library=library, workers=1, layout=layout)
    faults: list[str] = []

    for rule in rules:
        checks = {
            Channel.EMAIL: partial(check_email_templates, words, rule.stage),
            Channel.SMS: partial(check_texts, templates, text_rules, stage=rule.stage, library=library),
            Channel.LETTER: partial(letters.check, stage=rule.stage, kind=Channel.LETTER, today=today),
            Channel.REGISTERED_LETTER: partial(
                letters.check, stage=rule.stage, kind=Channel.REGISTERED_LETTER, today=today
            ),
        }
        for channel in dict.fromkeys(entry.channel for entry in rule.channels):
            try:
                checks[channel]()
            except TemplateError as error:
                faults.append(str(error))
    if faults:
        raise TemplateError("\n".join(dict.fromkeys(faults)))
