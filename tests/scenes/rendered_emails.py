"""E-mails as the delivered templates make them, read again by the standard library's parser."""

from __future__ import annotations

from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from loan_reminders.domain.notices import Delivery
from loan_reminders.domain.stages import Stage
from loan_reminders.rendering.email.renderer import EmailRenderer
from loan_reminders.rendering.templates import Templates
from tests.scenes.builders import a_library, today_for
from tests.scenes.sentences import as_typed

EMAIL_STAGES = [Stage.COURTESY_NOTICE, Stage.OVERDUE_NOTICE, Stage.FIRST_REMINDER, Stage.SECOND_REMINDER]
WRITTEN_AT = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
TEMPLATES = Templates()


def a_renderer(templates: Templates = TEMPLATES, **changes: Any) -> EmailRenderer:
    values: dict[str, Any] = {
        "library": a_library(),
        "sender": "Bibliothèque universitaire, prêt <relances@bu.example.fr>",
        "reply_to": "prets@bu.example.fr",
        "message_id_domain": "bu.example.fr",
        "clock": lambda: WRITTEN_AT,
    }
    return EmailRenderer(templates, **{**values, **changes})


RENDERER = a_renderer()


def read(delivery: Delivery, today: date | None = None, renderer: EmailRenderer = RENDERER) -> EmailMessage:
    """The e-mail as the standard library's parser reads it."""
    content = renderer.render(delivery, today=today or today_for(delivery.notice.stage)).content
    assert content.isascii()
    assert content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r")
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not any(part.defects for part in message.walk())
    return message


def body(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return as_typed(str(part.get_content()).replace("\r\n", "\n"))
