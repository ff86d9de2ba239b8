"""The SMTP server (RFC 5321) through which e-mails leave: one connection, many messages, every answer kept."""

from __future__ import annotations

import re

from loan_reminders.domain.email.return_path import without_addresses
from loan_reminders.domain.errors import RETRIED, MailRelayRejected, MailRelayUnavailable
from loan_reminders.domain.messages import Receipt, RenderedEmail
from loan_reminders.domain.ports.runs import MailPace
from loan_reminders.domain.states import DeliveryState, Reason
from loan_reminders.gateways.email.backoff import Backoff
from loan_reminders.gateways.email.smtp_answers import Answer, Meaning
from loan_reminders.gateways.email.smtp_connection import (
    ENVELOPE,
    RAW_LENGTH,
    ConnectionBroken,
    Security,
    ServerBusy,
    SmtpAccount,
    SmtpConnection,
    stopping,
    unusable_sender,
)

__all__ = ["Backoff", "Security", "SmtpAccount", "SmtpRelay"]

_GO_ON = 354
_TOO_LARGE = "5.3.4"
_LINE_END = re.compile(rb"\r\n|\r|\n")


class _Lost(Exception):
    """The connection ended before the server could have accepted anything."""


class _Again(Exception):
    """The server ends a connection that has served before, and accepted nothing: another one serves on."""


class _Wait(Exception):
    """The server asks to wait, and accepted nothing."""


class SmtpRelay:
    """Sends messages over one connection, opened at the first and kept. For one thread; a MailRelay.

    `pace` holds messages back, for all relays that share it; `backoff` says how long to wait when the server
    asks for it.
    """

    def __init__(self, account: SmtpAccount, *, pace: MailPace | None = None, backoff: Backoff | None = None) -> None:
        self._account = account
        self._pace = pace
        self._backoff = backoff or Backoff()
        self._connection: SmtpConnection | None = None
        self._reset_first = False

    def send(self, message: RenderedEmail) -> Receipt:
        """Send one message; the receipt's `raw` is the server's answer, code and text.

        ACCEPTED: the server took the message in charge. REFUSED: it never will (5xx, or an address SMTP cannot
        carry). PLANNED: later (4xx); PLANNED with the reason of a refusal: refused for policy's sake (5.7.x), which
        may concern everybody. IN_DOUBT: the whole message left and no readable answer came. A connection lost before
        that is opened again once, with the same message; when the server says goodbye (421) or asks to wait, the same
        message is tried again after growing pauses.

        Raises MailRelayUnavailable or MailRelayRejected, and then this message did not leave.
        """
        sender = message.envelope_sender or self._account.envelope_sender
        if not ENVELOPE.fullmatch(sender):
            raise unusable_sender()
        if not ENVELOPE.fullmatch(message.recipient.value):
            return Receipt(
                delivery_id=message.delivery_id, state=DeliveryState.REFUSED, reason=Reason.INVALID_RECIPIENT
            )
        if self._pace is not None:
            self._pace.wait()
        data = _as_data(message.content)
        pauses = iter(self._backoff.pauses)
        lost = False
        while True:
            try:
                return self._attempt(message, sender, data)
            except _Lost as error:
                self._drop()
                if lost:
                    raise self._unavailable("coupe la connexion", error) from None
                lost = True
            except _Again:
                self._drop()
            except _Wait as error:
                self._drop()
                pause = next(pauses, None)
                if pause is None:
                    raise self._unavailable("demande d'attendre encore", error) from None
                if pause:
                    self._backoff.sleep(pause)

    def check(self) -> None:
        """Connect, protect, log in, and ask the server for nothing (NOOP); no message is sent.

        Raises MailRelayUnavailable or MailRelayRejected.
        """
        try:
            connection = self._open()
            connection.send(b"NOOP\r\n")
            answer = connection.answer()
        except (_Wait, ConnectionBroken) as error:
            self._drop()
            raise self._unavailable("n'est pas prêt", error) from None
        if answer.code >= 400:
            raise stopping(self._account, MailRelayUnavailable, "n'est pas prêt", answer)

    def close(self) -> None:
        """Close the connection, if one is open, with QUIT."""
        if self._connection is not None:
            self._connection.close(politely=True)
        self._connection = None

    def _attempt(self, message: RenderedEmail, sender: str, data: bytes) -> Receipt:
        fresh = self._connection is None
        connection = self._open()
        try:
            refused = self._envelope(connection, message, sender, len(data))
            if refused is None:
                connection.send(data)
        except ConnectionBroken as error:
            raise _Lost(str(error)) from None
        if refused is not None:
            answer, reason = refused
            return self._refused(message, answer, reason, fresh=fresh)
        return self._result(connection, message, fresh=fresh)

    def _envelope(
        self, connection: SmtpConnection, message: RenderedEmail, sender: str, size: int
    ) -> tuple[Answer, Reason] | None:
        """MAIL, RCPT and DATA, in one write where the server allows it; None when the content may follow."""
        reset, self._reset_first = self._reset_first, False
        mail = f"MAIL FROM:<{sender}> SIZE={size}" if connection.takes_size else f"MAIL FROM:<{sender}>"
        commands = [*(["RSET"] if reset else []), mail, f"RCPT TO:<{message.recipient.value}>", "DATA"]
        if connection.pipelining:
            connection.send("".join(f"{command}\r\n" for command in commands).encode("ascii"))
        refused: tuple[Answer, Reason] | None = None
        for command in commands:
            if not connection.pipelining:
                connection.send(f"{command}\r\n".encode("ascii"))
            answer = connection.answer()
            if refused is not None:
                _not_left_open(connection, command, answer)
                continue
            if (command != "DATA" and answer.meaning is Meaning.TAKEN) or (command == "DATA" and answer.code == _GO_ON):
                continue
            if answer.meaning in {Meaning.UNREADABLE, Meaning.TAKEN} or command == "RSET":
                raise _Lost(f"à {command[:4]}, {without_addresses(answer.raw)}")
            if command is mail and answer.status != _TOO_LARGE:
                self._stop_for_sender(answer)
            refused = answer, Reason.RECIPIENT_REFUSED if command.startswith("RCPT") else Reason.MESSAGE_REFUSED
            self._reset_first = True
            if not connection.pipelining or answer.meaning is Meaning.GOODBYE:
                return refused
        return refused

    def _stop_for_sender(self, answer: Answer) -> None:
        """Act on a refused MAIL FROM, which concerns everybody; a rate or a goodbye is seen to by the caller."""
        if answer.meaning in {Meaning.GOODBYE, Meaning.BUSY}:
            return
        self._drop()
        if answer.code >= 500:
            raise stopping(self._account, MailRelayRejected, "refuse l'expéditeur", answer)
        raise stopping(self._account, MailRelayUnavailable, "ne prend aucun message pour le moment", answer)

    def _result(self, connection: SmtpConnection, message: RenderedEmail, *, fresh: bool) -> Receipt:
        """What became of a message that left whole."""
        try:
            answer = connection.answer(self._account.answer_timeout_s)
        except ConnectionBroken as error:
            reason = Reason.NO_ANSWER if error.readable else Reason.UNREADABLE_ANSWER
            return self._in_doubt(message, reason, str(error)[:RAW_LENGTH])
        if answer.meaning is Meaning.TAKEN:
            return Receipt(delivery_id=message.delivery_id, state=DeliveryState.ACCEPTED, raw=answer.raw)
        if answer.meaning is Meaning.UNREADABLE:
            return self._in_doubt(message, Reason.UNREADABLE_ANSWER, answer.raw)
        return self._refused(message, answer, Reason.MESSAGE_REFUSED, fresh=fresh)

    def _refused(self, message: RenderedEmail, answer: Answer, reason: Reason, *, fresh: bool) -> Receipt:
        """The receipt of a message that was not taken; raises when the answer is not about this message alone."""
        match answer.meaning:
            case Meaning.GOODBYE if not fresh:
                raise _Again
            case Meaning.GOODBYE | Meaning.BUSY:
                raise _Wait(without_addresses(answer.raw))
            case Meaning.SENDER_REFUSED:
                self._drop()
                what = "exige un identifiant ou une autre adresse d'expéditeur"
                raise stopping(self._account, MailRelayRejected, what, answer)
            case Meaning.SENDER_LATER:
                self._drop()
                raise stopping(self._account, MailRelayUnavailable, "ne peut pas vérifier l'expéditeur", answer)
            case Meaning.LATER:
                reason = Reason.RECIPIENT_DEFERRED
            case _:  # a refusal for policy's sake keeps its reason, and waits for what the others are told
                pass
        state = DeliveryState.REFUSED if answer.meaning is Meaning.REFUSED else DeliveryState.PLANNED
        return Receipt(delivery_id=message.delivery_id, state=state, reason=reason, raw=answer.raw)

    def _in_doubt(self, message: RenderedEmail, reason: Reason, raw: str) -> Receipt:
        self._drop()
        return Receipt(delivery_id=message.delivery_id, state=DeliveryState.IN_DOUBT, reason=reason, raw=raw)

    def _open(self) -> SmtpConnection:
        if self._connection is None:
            self._reset_first = False
            try:
                self._connection = SmtpConnection(self._account)
            except ServerBusy as error:
                raise _Wait(str(error)) from None
        return self._connection

    def _unavailable(self, what: str, error: Exception) -> MailRelayUnavailable:
        return MailRelayUnavailable(f"{self._account.server} {what} ({error}). {RETRIED}")

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _not_left_open(connection: SmtpConnection, command: str, answer: Answer) -> None:
    """A server that says « go on » after a refused recipient is given an empty message, which it cannot deliver."""
    if command == "DATA" and answer.code == _GO_ON:
        connection.send(b".\r\n")
        connection.answer()


def _as_data(content: bytes) -> bytes:
    """Content for DATA in one piece: CRLF line ends, leading dots doubled, final dot (RFC 5321 §4.5.2)."""
    if not content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r"):
        content = _LINE_END.sub(b"\r\n", content)
    if content.startswith(b"."):
        content = b"." + content
    ending = b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"
    return content.replace(b"\r\n.", b"\r\n..") + ending
