"""The SMTP server (RFC 5321) through which e-mails leave: one connection, many messages, every answer kept."""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from enum import StrEnum

from loan_reminders.domain.errors import RETRIED, TO_MEND, MailRelayRejected, MailRelayUnavailable
from loan_reminders.domain.messages import Receipt, RenderedEmail
from loan_reminders.domain.states import DeliveryState, Reason

_RAW_LENGTH = 500
_BAD_SEQUENCE, _AUTHENTICATION_REQUIRED, _CLOSING = 503, 530, 421
_ENVELOPE = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")
_ADDRESS_IN_TEXT = re.compile(r"<?[^\s<>]+@[^\s<>]+>?")
_LINE_END = re.compile(rb"\r\n|\r|\n")


class Security(StrEnum):
    """How the connection is protected: not at all, by STARTTLS (never silently without), or TLS from the start."""

    PLAIN = "plain"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpAccount:
    """Where and as whom to send. `timeout_s` is in seconds, for each step.

    `envelope_sender` is where bounces go. A server's certificate must be vouched for by the system's authorities
    unless `verify_certificate` is False.
    """

    host: str
    port: int
    envelope_sender: str
    login: str = ""
    password: str = field(default="", repr=False)
    security: Security = Security.STARTTLS
    timeout_s: float = 30.0
    verify_certificate: bool = True


class _Lost(Exception):
    """The line is gone, or the server says goodbye, before anything could have been accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    code: int
    raw: str


class SmtpRelay:
    """Sends messages over one connection, opened at the first and kept. For one thread; a MailRelay."""

    def __init__(self, account: SmtpAccount) -> None:
        self._account = account
        self._smtp: smtplib.SMTP | None = None

    def send(self, message: RenderedEmail) -> Receipt:
        """Send one message; the receipt's `raw` is the server's answer, code and text.

        ACCEPTED: the server took the message in charge. REFUSED: it never will (5xx, or an address SMTP cannot
        carry). PLANNED: later (4xx). IN_DOUBT: the whole message left and no readable answer came. A line lost
        earlier is opened again once, with the same message.

        Raises MailRelayUnavailable or MailRelayRejected, and then this message did not leave.
        """
        if not _ENVELOPE.fullmatch(message.recipient.value):
            return Receipt(
                delivery_id=message.delivery_id, state=DeliveryState.REFUSED, reason=Reason.INVALID_RECIPIENT
            )
        try:
            return self._attempt(message)
        except _Lost:
            self._drop()
        try:
            return self._attempt(message)
        except _Lost as error:
            self._drop()
            raise MailRelayUnavailable(f"{self._server} ferme la connexion ({error}). {RETRIED}") from None

    def close(self) -> None:
        """Say goodbye when there is still somebody to hear it."""
        if self._smtp is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self._smtp.quit()
        self._drop()

    def _attempt(self, message: RenderedEmail) -> Receipt:
        sender, recipient = self._account.envelope_sender, message.recipient.value
        if self._smtp is None:
            self._smtp = self._open()
        mail = self._command(f"MAIL FROM:<{sender}>")
        if mail.code >= 500:
            raise self._stop(MailRelayRejected, "refuse l'expéditeur", mail)
        if not 200 <= mail.code < 300:
            raise self._stop(MailRelayUnavailable, "ne prend aucun message pour le moment", mail)
        rcpt = self._command(f"RCPT TO:<{recipient}>")
        if rcpt.code == _AUTHENTICATION_REQUIRED:
            raise self._stop(MailRelayRejected, "exige un identifiant", rcpt)
        if not 200 <= rcpt.code < 300:
            return self._refused(message, rcpt, Reason.RECIPIENT_REFUSED)
        data = self._command("DATA")
        if data.code != 354:
            return self._refused(message, data, Reason.MESSAGE_REFUSED)
        return self._content(message)

    def _content(self, message: RenderedEmail) -> Receipt:
        """Send the message in one write. As long as the write fails, the final dot never left."""
        smtp = self._connection()
        try:
            smtp.send(_as_data(message.content))
        except (smtplib.SMTPException, OSError) as error:
            raise _Lost(f"pendant l'envoi, {type(error).__name__}") from None
        try:
            code, text = smtp.getreply()
        except smtplib.SMTPResponseException:
            return self._in_doubt(message, Reason.UNREADABLE_ANSWER, "")
        except (smtplib.SMTPException, OSError) as error:
            return self._in_doubt(message, Reason.NO_ANSWER, str(error)[:_RAW_LENGTH])
        answer = self._answer(code, text)
        if 200 <= code < 300:
            return Receipt(delivery_id=message.delivery_id, state=DeliveryState.ACCEPTED, raw=answer.raw)
        if code == _CLOSING:
            raise _Lost(f"après le message, {_without_addresses(answer.raw)}")
        if 400 <= code < 600:
            return self._refused(message, answer, Reason.MESSAGE_REFUSED, reset=False)
        return self._in_doubt(message, Reason.UNREADABLE_ANSWER, answer.raw)

    def _refused(self, message: RenderedEmail, answer: _Answer, permanent: Reason, *, reset: bool = True) -> Receipt:
        if reset:
            try:
                self._command("RSET")
            except _Lost:
                self._drop()
        final = answer.code >= 500
        return Receipt(
            delivery_id=message.delivery_id,
            state=DeliveryState.REFUSED if final else DeliveryState.PLANNED,
            reason=permanent if final else Reason.RECIPIENT_DEFERRED,
            raw=answer.raw,
        )

    def _in_doubt(self, message: RenderedEmail, reason: Reason, raw: str) -> Receipt:
        self._drop()
        return Receipt(delivery_id=message.delivery_id, state=DeliveryState.IN_DOUBT, reason=reason, raw=raw)

    def _connection(self) -> smtplib.SMTP:
        if self._smtp is None:
            raise _Lost("pas de connexion")
        return self._smtp

    def _command(self, line: str) -> _Answer:
        """One command before the message itself: whatever breaks here, nothing was accepted."""
        try:
            code, text = self._connection().docmd(line)
        except (smtplib.SMTPException, OSError) as error:
            raise _Lost(f"à {line[:4]}, {type(error).__name__}") from None
        if code in {_CLOSING, _BAD_SEQUENCE} or not 200 <= code < 600:
            raise _Lost(f"à {line[:4]}, {_without_addresses(self._answer(code, text).raw)}")
        return self._answer(code, text)

    def _answer(self, code: int, text: bytes) -> _Answer:
        words = " ".join(text.decode("utf-8", "replace").split())
        if self._account.password:
            words = words.replace(self._account.password, "…")
        return _Answer(code=code, raw=f"{code} {words}"[:_RAW_LENGTH])

    def _stop(
        self, kind: type[MailRelayRejected | MailRelayUnavailable], what: str, answer: _Answer
    ) -> MailRelayRejected | MailRelayUnavailable:
        """The error for an answer that concerns every message; addresses are kept out of it."""
        self._drop()
        return self._answered(kind, what, answer)

    def _answered(
        self, kind: type[MailRelayRejected | MailRelayUnavailable], what: str, answer: _Answer
    ) -> MailRelayRejected | MailRelayUnavailable:
        cure = RETRIED if kind is MailRelayUnavailable else TO_MEND
        return kind(f"{self._server} {what} et répond « {_without_addresses(answer.raw)} ». {cure}")

    @property
    def _server(self) -> str:
        return f"Le serveur de messagerie {self._account.host}:{self._account.port}"

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    def _open(self) -> smtplib.SMTP:
        """Connect, protect and log in."""
        account = self._account
        if not _ENVELOPE.fullmatch(account.envelope_sender):
            raise MailRelayRejected(
                "L'adresse d'expéditeur a un caractère que SMTP n'accepte pas."
                " Corriger library.toml, puis relancer la tâche."
            )
        smtp: smtplib.SMTP | None = None
        try:
            smtp = _connect(account)
            smtp.ehlo_or_helo_if_needed()
            if account.security is Security.STARTTLS:
                smtp.starttls(context=_tls(account))
                smtp.ehlo_or_helo_if_needed()
            if account.login:
                smtp.login(account.login, account.password)
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            if smtp is not None:
                smtp.close()
            raise self._not_opened(error) from None
        return smtp

    def _not_opened(self, error: Exception) -> MailRelayRejected | MailRelayUnavailable:
        """Which of the two errors a failed opening is; never the password, never what the server echoes of it."""
        server = self._server
        if isinstance(error, smtplib.SMTPResponseException):
            text = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
            login = isinstance(error, smtplib.SMTPAuthenticationError)
            what = "refuse l'identifiant ou le mot de passe" if login else "refuse la connexion"
            kind = MailRelayRejected if 500 <= error.smtp_code < 600 else MailRelayUnavailable
            return self._answered(kind, what, self._answer(error.smtp_code, text))
        if isinstance(error, smtplib.SMTPNotSupportedError) or type(error) is smtplib.SMTPException:
            return MailRelayRejected(
                f"{server} n'offre pas ce que la connexion Airflow demande (STARTTLS ou identifiant). {TO_MEND}"
            )
        if isinstance(error, ssl.SSLCertVerificationError):
            return MailRelayRejected(f"{server} a un certificat non reconnu ({error.verify_message}). {TO_MEND}")
        if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
            return MailRelayRejected(f"{server} n'accepte pas TLS comme demandé ({error.reason}). {TO_MEND}")
        if isinstance(error, UnicodeError):
            return MailRelayRejected(
                f"{server} : adresse, identifiant ou mot de passe avec un caractère que SMTP n'accepte pas. {TO_MEND}"
            )
        return MailRelayUnavailable(f"{server} ne répond pas ({type(error).__name__}). {RETRIED}")


def _connect(account: SmtpAccount) -> smtplib.SMTP:
    """A greeted connection without Nagle's delay: small commands and the message leave at once."""
    name = account.envelope_sender.rpartition("@")[2]
    smtp: smtplib.SMTP
    if account.security is Security.TLS:
        smtp = smtplib.SMTP_SSL(
            account.host, account.port, local_hostname=name, timeout=account.timeout_s, context=_tls(account)
        )
    else:
        smtp = smtplib.SMTP(account.host, account.port, local_hostname=name, timeout=account.timeout_s)
    if smtp.sock is not None:
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return smtp


def _tls(account: SmtpAccount) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not account.verify_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _without_addresses(text: str) -> str:
    """A server's words without the addresses it repeats."""
    return _ADDRESS_IN_TEXT.sub("<…>", text)


def _as_data(content: bytes) -> bytes:
    """Content for DATA in one piece: CRLF line ends, leading dots doubled, final dot (RFC 5321 §4.5.2)."""
    if not content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r"):
        content = _LINE_END.sub(b"\r\n", content)
    if content.startswith(b"."):
        content = b"." + content
    ending = b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"
    return content.replace(b"\r\n.", b"\r\n..") + ending
