"""The functions that write the e-mails and SMS of a stage; their templates are checked before the first message.

What composes asks its clock at each message: a run that lasts past midnight does not say "yesterday" of another day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from loan_reminders.domain.clock import Clock
from loan_reminders.domain.email.identity import EmailIdentity
from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.messages import RenderedEmail, RenderedText
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.recipients import EmailAddress
from loan_reminders.domain.redirect import Redirect
from loan_reminders.domain.sms.text import TextRules, segments
from loan_reminders.domain.stages import Stage
from loan_reminders.rendering.template_folders import TemplatePlace

if TYPE_CHECKING:
    from loan_reminders.rendering.sms.renderer import SmsRenderer


def email_composer(
    templates: TemplatePlace, identity: EmailIdentity, *, stage: Stage, clock: Clock, redirect: Redirect | None = None
) -> Callable[[Delivery], RenderedEmail]:
    """The function that writes this stage's e-mails, each as of the moment it is written.

    Each is in its reader's language where the stage has it, else in French. With `redirect`, that of a test
    installation, each goes to the address it names. Raises TemplateError when a template of the stage is missing or
    wrong.
    """
    from loan_reminders.rendering.email.renderer import EmailRenderer, check_email_templates
    from loan_reminders.rendering.templates import Templates

    compiled = Templates(templates)
    check_email_templates(compiled, stage)
    renderer = EmailRenderer(
        compiled,
        library=identity.library,
        sender=f"{identity.sender_name} <{identity.sender_address}>",
        reply_to=identity.reply_to,
        message_id_domain=identity.sender_address.rpartition("@")[2],
        clock=clock,
        list_unsubscribe=identity.list_unsubscribe,
        survey=identity.survey,
    )

    def compose(delivery: Delivery) -> RenderedEmail:
        today = clock().date()
        if redirect is None or delivery.recipient in redirect.allow:
            return renderer.render(delivery, today=today)
        meant_for = delivery.recipient.value if isinstance(delivery.recipient, EmailAddress) else ""
        message = renderer.render(replace(delivery, recipient=redirect.email), today=today, meant_for=meant_for)
        return replace(message, redirected=True)

    return compose


def text_composer(
    templates: TemplatePlace,
    rules: TextRules,
    *,
    stage: Stage,
    library: LibraryIdentity,
    clock: Clock,
    redirect: Redirect | None = None,
) -> Callable[[Delivery], RenderedText]:
    """The function that writes this stage's SMS, each as of the moment it is written.

    Raises TemplateError when the template cannot fit.
    """
    renderer = _checked(templates, rules, stage=stage, library=library)

    def compose(delivery: Delivery) -> RenderedText:
        message = renderer.render(delivery, today=clock().date())
        if redirect is None or delivery.recipient in redirect.allow:
            return message
        text = f"(Essai, pour {message.recipient.value}) {message.text}"
        return replace(message, recipient=redirect.mobile, text=text, segments=segments(text), redirected=True)

    return compose


def check_texts(templates: TemplatePlace, rules: TextRules, *, stage: Stage, library: LibraryIdentity) -> None:
    """Make sure that a stage's SMS fit. Raises TemplateError with the count in septets."""
    _checked(templates, rules, stage=stage, library=library)


def _checked(templates: TemplatePlace, rules: TextRules, *, stage: Stage, library: LibraryIdentity) -> SmsRenderer:
    from loan_reminders.rendering.sms.renderer import SmsRenderer
    from loan_reminders.rendering.templates import Templates

    renderer = SmsRenderer(
        Templates(templates),
        library=library,
        max_segments=rules.max_segments,
        opt_out_mention=rules.opt_out_mention,
    )
    renderer.check([stage])
    return renderer
