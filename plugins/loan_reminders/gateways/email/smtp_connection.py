"""One connection to an SMTP server, protected and logged in: RFC 5321, STARTTLS by RFC 3207, AUTH by RFC 4954.

smtplib opens it, writes and reads; what it does not do is to send several commands before the first answer (RFC 2920).
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from enum import StrEnum

from loan_reminders.domain.email.return_path import without_addresses
from loan_reminders.domain.errors import RETRIED, TO_MEND, MailRelayRejected, MailRelayUnavailable
from loan_reminders.gateways.email.smtp_answers import Answer

RAW_LENGTH = 500
ENVELOPE = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")
"""An address that SMTP can carry without extension."""


class Security(StrEnum):
    """How the connection is protected: not at all, by STARTTLS (never silently without), or TLS from the start."""

    PLAIN = "plain"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpAccount:
    """Where and as whom to send. `timeout_s` is in seconds, for each step but one.

    `answer_timeout_s` is how long, in seconds, the answer to a whole message is waited for: RFC 5321 §4.5.3.2.6 asks
    for 10 minutes, and who gives up earlier sends twice. `envelope_sender` is where bounces go. A server's certificate
    must be vouched for by the system's authorities unless `verify_certificate` is False. A password travels without
    TLS only when `login_in_clear` says so.
    """

    host: str
    port: int
    envelope_sender: str
    login: str = ""
    password: str = field(default="", repr=False)
    security: Security = Security.STARTTLS
    timeout_s: float = 30.0
    answer_timeout_s: float = 600.0
    verify_certificate: bool = True
    login_in_clear: bool = False

    @property
    def server(self) -> str:
        """The server, for messages."""
        return f"Le serveur de messagerie {self.host}:{self.port}"


class ConnectionBroken(Exception):
    """The connection ended, or what came over it is not SMTP (`readable` is False then)."""

    def __init__(self, why: str, *, readable: bool = True) -> None:
        super().__init__(why)
        self.readable = readable


class ServerBusy(Exception):
    """The server answers « later » to a new connection. Holds what it said."""


class SmtpConnection:
    """An open connection. For one thread."""

    def __init__(self, account: SmtpAccount) -> None:
        """Connect, protect and log in.

        Raises ServerBusy when the server says to come back in a moment, MailRelayUnavailable when it does not answer,
        MailRelayRejected when it never will take us; never with the password, nor with what the server echoes of it.
        """
        self._account = account
        self._smtp = _open(account)
        self.pipelining = self._smtp.has_extn("pipelining")
        self.takes_size = self._smtp.has_extn("size")

    def send(self, data: bytes) -> None:
        """Send all of it. Raises ConnectionBroken."""
        try:
            self._smtp.send(data)
        except smtplib.SMTPServerDisconnected as error:
            raise _broken(error) from None

    def answer(self, timeout_s: float | None = None) -> Answer:
        """The next answer, of however many lines. Raises ConnectionBroken; nothing more can be asked then.

        `timeout_s` is in seconds, the account's own for each read unless it is given.
        """
        try:
            if timeout_s is not None:
                self._wait_at_most(timeout_s)
            code, text = self._smtp.getreply()
            if timeout_s is not None:
                self._wait_at_most(self._account.timeout_s)
        except smtplib.SMTPServerDisconnected as error:
            raise _broken(error) from None
        except smtplib.SMTPResponseException:  # what smtplib says of a line beyond all bounds
            raise ConnectionBroken("ligne trop longue", readable=False) from None
        if code < 0:
            raise ConnectionBroken("réponse illisible", readable=False)
        return answer_of(self._account, code, text)

    def close(self, *, politely: bool = False) -> None:
        """Close it; `politely` says QUIT first and waits 5 seconds at most for the answer."""
        if politely:
            with contextlib.suppress(smtplib.SMTPException):
                self._wait_at_most(5.0)
                self._smtp.quit()
        self._smtp.close()

    def _wait_at_most(self, seconds: float) -> None:
        if self._smtp.sock is not None:
            self._smtp.sock.settimeout(seconds)


def _broken(error: smtplib.SMTPServerDisconnected) -> ConnectionBroken:
    """What smtplib found, named as the system names it when it was the system that refused."""
    cause = error.__context__
    return ConnectionBroken(type(cause).__name__ if isinstance(cause, OSError) else "connexion coupée")


def answer_of(account: SmtpAccount, code: int, text: bytes) -> Answer:
    """A server's answer on one line, without our password."""
    words = " ".join(text.decode("utf-8", "replace").split())
    if account.password:
        words = words.replace(account.password, "…")
    return Answer(code=code, raw=f"{code} {words}"[:RAW_LENGTH])


def stopping(
    account: SmtpAccount, kind: type[MailRelayRejected | MailRelayUnavailable], what: str, answer: Answer
) -> MailRelayRejected | MailRelayUnavailable:
    """The error for an answer that concerns every message; addresses are kept out of it."""
    cure = RETRIED if kind is MailRelayUnavailable else TO_MEND
    return kind(f"{account.server} {what} et répond « {without_addresses(answer.raw)} ». {cure}")


def unusable_sender() -> MailRelayRejected:
    """The error for a sender's address that SMTP cannot carry."""
    return MailRelayRejected(
        "L'adresse d'expéditeur a un caractère que SMTP n'accepte pas. Corriger library.toml, puis relancer la tâche."
    )


def _open(account: SmtpAccount) -> smtplib.SMTP:
    if account.login and account.security is Security.PLAIN and not account.login_in_clear:
        raise MailRelayRejected(
            f"{account.server} : le mot de passe partirait en clair. Choisir TLS ou STARTTLS dans la connexion Airflow,"
            " ou y mettre l'extra « login_in_clear » à true si le réseau est sûr, puis relancer la tâche."
        )
    smtp: smtplib.SMTP | None = None
    try:
        smtp = _connect(account)
        if account.security is Security.STARTTLS:
            smtp.starttls(context=_tls(account))
        smtp.ehlo_or_helo_if_needed()
        if account.login:
            smtp.login(account.login, account.password)
    except (smtplib.SMTPException, OSError, UnicodeError) as error:
        if smtp is not None:
            smtp.close()
        raise _not_opened(account, error) from None
    return smtp


def _not_opened(account: SmtpAccount, error: Exception) -> Exception:
    server = account.server
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
        answer = answer_of(account, error.smtp_code, text)
        login = isinstance(error, smtplib.SMTPAuthenticationError)
        if 400 <= error.smtp_code < 500 and not login:
            return ServerBusy(without_addresses(answer.raw))
        what = "refuse l'identifiant ou le mot de passe" if login else "refuse la connexion"
        kind = MailRelayRejected if 500 <= error.smtp_code < 600 else MailRelayUnavailable
        return stopping(account, kind, what, answer)
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
