"""The servers of one scene: they remember what reached each reader, and act when told to at a chosen message."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from email.policy import default
from typing import Any

from tests.simulators.sms_provider import SmsProvider
from tests.simulators.smtp_sink import SmtpSink


@dataclass(slots=True)
class At:
    """Calls `act` once, at the `number`-th message: the message is taken, its answer has not left."""

    number: int = 0
    act: Callable[[], None] = lambda: None
    passed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def passing(self) -> None:
        with self.lock:
            self.passed += 1
            if self.passed != self.number:
                return
        self.act()


class MailServer(SmtpSink):
    """An SMTP server that keeps what it took as pairs of delivery id (the left side of Message-ID) and recipient.

    The first `dropped_unkept` messages are received whole and forgotten: with the sink's own `drop_at`, a server that
    dies before it has the mail on its disk.
    """

    def __init__(self) -> None:
        super().__init__(None)
        self.at = At()
        self.taken: list[tuple[str, str]] = []
        self.dropped_unkept = 0

    def keep(self, content: bytes) -> None:
        super().keep(content)
        if self.dropped_unkept > 0:
            self.dropped_unkept -= 1
            return
        headers = BytesHeaderParser(policy=default).parsebytes(content)
        delivery_id = str(headers["Message-ID"]).strip("<>").partition("@")[0]
        self.taken.append((delivery_id, headers["To"].addresses[0].addr_spec))
        self.at.passing()


class SmsServer(SmsProvider):
    """allmysms's account; the first `slow_requests` answers come `slow` seconds after the SMS were taken."""

    def __init__(self) -> None:
        super().__init__(login="faults", api_key="faults-key")
        self.at = At()
        self.slow = 0.0
        self.slow_requests = 0

    def answer(self, method: str, fields: dict[str, str]) -> dict[str, Any]:
        said = super().answer(method, fields)
        if method != "sendSms":
            return said
        self.at.passing()
        if self.slow_requests > 0:
            self.slow_requests -= 1
            time.sleep(self.slow)
        return said

    def texted(self) -> Counter[str]:
        return Counter(sms.phone_number for sms in self.accepted)
