"""What the tests of the SMS gateway share: texts to send, a gateway, and a bare server that says what it is told."""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from loan_reminders.domain.messages import Receipt, RenderedText
from loan_reminders.domain.recipients import MobileNumber
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.gateways.sms.allmysms import AllMySmsAccount, AllMySmsGateway
from loan_reminders.gateways.sms.allmysms_rest import AllMySmsRestGateway
from tests.simulators.allmysms_server import Fault

Gateway = TypeVar("Gateway", AllMySmsGateway, AllMySmsRestGateway)

LOGIN = "bu-montclar"
API_KEY = "k3y/with+odd&chars<é>"
TEXT = 'BU : vous deviez rendre 2 documents hier. "Mon compte" STOP au 36180'

TAKEN_WITHOUT_A_CLEAR_ANSWER = [
    (Fault.SILENCE_AFTER_ACCEPTING, Reason.NO_ANSWER),
    (Fault.CUT_AFTER_ACCEPTING, Reason.NO_ANSWER),
    (Fault.SHORT_BODY, Reason.NO_ANSWER),
    (Fault.HTTP_500_AFTER_ACCEPTING, Reason.UNREADABLE_ANSWER),
    (Fault.TRUNCATED_JSON, Reason.UNREADABLE_ANSWER),
    (Fault.EMPTY_BODY, Reason.UNREADABLE_ANSWER),
    (Fault.IDS_MISSING, Reason.UNREADABLE_ANSWER),
]
"""Faults of the provider after which nobody knows whether the SMS left, and what is noted of them."""


def number(index: int) -> str:
    return f"336399800{index:02d}"


def texts(count: int = 3, *, text: str = TEXT) -> list[RenderedText]:
    return [
        RenderedText(delivery_id=uuid.uuid4(), recipient=MobileNumber(value=number(index)), text=text, segments=1)
        for index in range(count)
    ]


def gateway_to(base_url: str, **changes: Any) -> AllMySmsGateway:
    return opened(AllMySmsGateway, base_url, **changes)


def rest_to(base_url: str, **changes: Any) -> AllMySmsRestGateway:
    return opened(AllMySmsRestGateway, base_url, **changes)


def opened(kind: type[Gateway], base_url: str, **changes: Any) -> Gateway:
    account = AllMySmsAccount(
        base_url=base_url,
        login=changes.pop("login", LOGIN),
        api_key=changes.pop("api_key", API_KEY),
        login_in_clear=changes.pop("login_in_clear", True),
    )
    options = {"sender": "BU Montclar", "campaign": "RELANCES", "connect_timeout_s": 1.0, "read_timeout_s": 0.3}
    return kind(account, **{**options, **changes})


OPEN: dict[str, Callable[..., AllMySmsGateway | AllMySmsRestGateway]] = {"legacy": gateway_to, "rest": rest_to}
"""Each API's gateway."""


def outcomes(receipts: Sequence[Receipt]) -> list[tuple[DeliveryState, Reason | None]]:
    return [(receipt.state, receipt.reason) for receipt in receipts]


@contextmanager
def wire(answer: bytes | None) -> Iterator[str]:
    """A bare server for one connection: reads one request whole, then says `answer`, or resets without a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.recv(65536)
                head, _, body = request.partition(b"\r\n\r\n")
                length = int((*head.lower().split(b"content-length:"), b"0")[1].split(b"\r\n")[0])
                while len(body) < length:
                    body += connection.recv(65536)
                if answer is None:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def http(body: bytes, status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
        status.encode(),
        len(body),
        body,
    )
