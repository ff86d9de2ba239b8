"""The functions that write the e-mails and SMS of a stage; their templates are checked before the first message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from loan_reminders.domain.library import LibraryIdentity
from loan_reminders.domain.messages import RenderedEmail, RenderedText
from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.recipients import EmailAddress
from loan_reminders.domain.redirect import Redirect
from loan_reminders.domain.sms.text import segments
from loan_reminders.domain.stages import Stage

if TYPE_CHECKING:
    from loan_reminders.rendering.sms.renderer import SmsRenderer


def email_composer(
    templates: Path,
    *,
    stage: Stage,
    library: LibraryIdentity,
    sender_name: str,
    sender_address: str,
    reply_to: str,
    now: datetime,
    list_unsubscribe: str = "",
    redirect: Redirect | None = None,
) -> Callable[[Delivery], RenderedEmail]:
    """The function that writes this stage's e-mails as of `now` (zone-aware, the library's zone).

    Each is in its reader's language where the stage has it, else in French.
    `list_unsubscribe` is the https or mailto address of a List-Unsubscribe header, empty for none.
    Raises TemplateError when a template of the stage is missing or wrong.
    """
    from loan_reminders.rendering.email.renderer import EmailRenderer, check_email_templates
    from loan_reminders.rendering.templates import Templates

    words = Templates(templates)
    check_email_templates(words, stage)
    renderer = EmailRenderer(
        words,
        library=library,
        sender=f"{sender_name} <{sender_address}>",
        reply_to=reply_to,
        message_id_domain=sender_address.rpartition("@")[2],
        written_at=now,
        list_unsubscribe=list_unsubscribe,
    )
    today = now.date()

    def compose(delivery: Delivery) -> RenderedEmail:
        if redirect is None or delivery.recipient in redirect.allow:
            return renderer.render(delivery, today=today)
        meant_for = delivery.recipient.value if isinstance(delivery.recipient, EmailAddress) else ""
        return renderer.render(replace(delivery, recipient=redirect.email), today=today, meant_for=meant_for)

    return compose


def text_composer(
    templates: Path,
    *,
    stage: Stage,
    library: LibraryIdentity,
    max_segments: int,
    opt_out_mention: str,
    today: date,
    redirect: Redirect | None = None,
) -> Callable[[Delivery], RenderedText]:
    """The function that writes this stage's SMS. Raises TemplateError when the template cannot fit."""
    renderer = _checked(
        templates, stage=stage, library=library, max_segments=max_segments, opt_out_mention=opt_out_mention
    )

    def compose(delivery: Delivery) -> RenderedText:
        message = renderer.render(delivery, today=today)
        if redirect is None or delivery.recipient in redirect.allow:
            return message
        text = f"(Essai, pour {message.recipient.value}) {message.text}"
        return replace(message, recipient=redirect.mobile, text=text, segments=segments(text))

    return compose


def check_texts(
    templates: Path, *, stage: Stage, library: LibraryIdentity, max_segments: int, opt_out_mention: str
) -> None:
    """Make sure that a stage's SMS fit. Raises TemplateError with the count in septets."""
    _checked(templates, stage=stage, library=library, max_segments=max_segments, opt_out_mention=opt_out_mention)


def _checked(
    templates: Path, *, stage: Stage, library: LibraryIdentity, max_segments: int, opt_out_mention: str
) -> SmsRenderer:
    from loan_reminders.rendering.sms.renderer import SmsRenderer
    from loan_reminders.rendering.templates import Templates

    renderer = SmsRenderer(
        Templates(templates), library=library, max_segments=max_segments, opt_out_mention=opt_out_mention
    )
    renderer.check([stage])
    return renderer
