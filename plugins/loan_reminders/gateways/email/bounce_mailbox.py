"""The mailbox where bounces come back, over IMAP: nothing is marked read, what was understood is moved aside."""

from __future__ import annotations

import contextlib
import imaplib
import ssl
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loan_reminders.domain.email.feedback import Arrival, ReadMessage
from loan_reminders.domain.errors import RETRIED, TO_MEND, BounceMailboxRejected, BounceMailboxUnavailable
from loan_reminders.gateways.email import bounce_reports
from loan_reminders.gateways.email.imap_folder import ImapFolder, Refused, words

PAGE = 100
BODIES_AT_A_TIME = 20
HEADERS_LIMIT = 64 * 1024
BODY_LIMIT = 256 * 1024
"""Bytes read of a report: what it says comes before the message that it returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxAccount:
    """Where and as whom to read. `timeout_s` is in seconds, for each step.

    `folder` is read, `done_folder` gets what was. `bounce_addresses` are where our e-mails come back, each with a
    return path of its own (`local+<delivery>@domain`); none when they have no such path. A password travels without TLS
    only when `login_in_clear` says so.
    """

    host: str
    port: int
    login: str
    password: str = field(repr=False)
    folder: str
    done_folder: str
    bounce_addresses: Collection[str] = ()
    tls: bool = True
    verify_certificate: bool = True
    login_in_clear: bool = False
    timeout_s: float = 30.0


class ImapBounceMailbox:
    """One connection, opened at the first question. Fulfils `BounceMailbox`; for one thread."""

    def __init__(self, account: MailboxAccount) -> None:
        self._account = account
        self._imap: imaplib.IMAP4 | None = None
        self._folder: ImapFolder | None = None
        self._done_folder_is_there = False

    def waiting(self) -> int:
        """How many messages are in the folder."""
        return self._opened().messages

    def pages(self) -> Iterator[Sequence[ReadMessage]]:
        """The folder's messages, the oldest first, a hundred at a time: memory does not grow with the mailbox.

        Headers are read first, the whole (its first 256 KiB) only of what looks like a report; nothing is marked read.
        """
        folder = self._opened()
        with self._errors_in_words():
            uids = folder.uids()
        for first in range(0, len(uids), PAGE):
            yield self._page(folder, uids[first : first + PAGE])

    def count(self) -> int:
        """Open the folder, and say how many messages lie there; none is read, none is moved."""
        return self._opened().messages

    def put_away(self, uids: Sequence[int]) -> None:
        """Move messages to the done folder, which is made when it is missing."""
        if not uids:
            return
        folder, done = self._opened(), self._account.done_folder
        try:
            with self._errors_in_words():
                if not self._done_folder_is_there and not folder.exists(done):
                    folder.create(done)
                self._done_folder_is_there = True
                folder.move(uids, done)
        except Refused as error:
            raise BounceMailboxRejected(
                f"{self._server} ne range pas les messages lus dans le dossier « {done} » ({error})."
                f" Vérifier done_folder dans library.toml. {TO_MEND}"
            ) from None

    def close(self) -> None:
        """Log out and close the connection; nothing is expunged."""
        if self._imap is not None:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                self._imap.logout()
            with contextlib.suppress(OSError):
                self._imap.shutdown()
        self._imap = self._folder = None

    def _page(self, folder: ImapFolder, uids: Sequence[int]) -> Sequence[ReadMessage]:
        looked: dict[int, Arrival | None] = {}
        for uid, headers in self._contents(folder, uids, f"BODY.PEEK[HEADER]<0.{HEADERS_LIMIT}>").items():
            looked[uid] = bounce_reports.first_look(headers)
        reports = [uid for uid, arrival in looked.items() if arrival is None]
        read: dict[int, ReadMessage] = {}
        for first in range(0, len(reports), BODIES_AT_A_TIME):
            some = reports[first : first + BODIES_AT_A_TIME]
            for uid, content in self._contents(folder, some, f"BODY.PEEK[]<0.{BODY_LIMIT}>").items():
                arrival, bounce = bounce_reports.read(content, bounce_addresses=self._account.bounce_addresses)
                read[uid] = ReadMessage(uid=uid, arrival=arrival, bounce=bounce)
        return tuple(
            read.get(uid) or ReadMessage(uid=uid, arrival=looked.get(uid) or Arrival.UNREADABLE) for uid in uids
        )

    def _contents(self, folder: ImapFolder, uids: Sequence[int], what: str) -> Mapping[int, bytes]:
        """One item of messages; one that the server itself cannot read is left out, the others are not lost for it."""
        with self._errors_in_words():
            try:
                return dict(folder.fetch(uids, what))
            except Refused:
                if len(uids) == 1:
                    return {}
        return {uid: content for one in uids for uid, content in self._contents(folder, [one], what).items()}

    def _opened(self) -> ImapFolder:
        if self._folder is None:
            self._imap = self._connect()
            try:
                with self._errors_in_words():
                    self._log_in(self._imap)
                    self._folder = self._select(self._imap)
            except BaseException:
                self.close()
                raise
        return self._folder

    def _connect(self) -> imaplib.IMAP4:
        account = self._account
        if not account.tls and not account.login_in_clear:
            raise BounceMailboxRejected(
                f"{self._server} : le mot de passe partirait en clair. Choisir TLS dans la connexion Airflow (extra"
                " « use_ssl » à true), ou y mettre l'extra « login_in_clear » à true si le réseau est sûr, puis"
                " relancer la tâche."
            )
        with self._errors_in_words():
            if account.tls:
                context = _context(verify=account.verify_certificate)
                return imaplib.IMAP4_SSL(account.host, account.port, ssl_context=context, timeout=account.timeout_s)
            return imaplib.IMAP4(account.host, account.port, timeout=account.timeout_s)

    def _log_in(self, imap: imaplib.IMAP4) -> None:
        login, password = self._account.login, self._account.password
        try:
            if (login + password).isascii():
                imap.login(login, password)
            else:
                imap.authenticate("PLAIN", lambda _: f"\0{login}\0{password}".encode())
            _, capabilities = imap.capability()
            imap.capabilities = tuple(str(capabilities[-1] or b"", "ascii").upper().split())
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            said = _said(error)
            if "[UNAVAILABLE]" in said.upper() or "[INUSE]" in said.upper():
                raise BounceMailboxUnavailable(f"{self._server} n'ouvre pas pour le moment. {RETRIED}") from None
            raise BounceMailboxRejected(
                f"{self._server} refuse l'identifiant ou le mot de passe de la connexion Airflow. {TO_MEND}"
            ) from None

    def _select(self, imap: imaplib.IMAP4) -> ImapFolder:
        name = self._account.folder
        try:
            return ImapFolder(imap, name)
        except Refused as error:
            raise BounceMailboxRejected(
                f"{self._server} n'a pas de dossier « {name} », ou ne l'ouvre pas ({error})."
                f" Vérifier folder dans library.toml, partie [bounces]. {TO_MEND}"
            ) from None

    @contextlib.contextmanager
    def _errors_in_words(self) -> Iterator[None]:
        """Errors become BounceMailboxRejected or BounceMailboxUnavailable, in French, without the password."""
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise BounceMailboxRejected(
                f"{self._server} a un certificat non reconnu ({error.verify_message}). {TO_MEND}"
            ) from None
        except ssl.SSLEOFError:
            raise BounceMailboxUnavailable(f"{self._server} ferme la connexion. {RETRIED}") from None
        except ssl.SSLError as error:
            raise BounceMailboxRejected(
                f"{self._server} n'accepte pas TLS comme demandé ({error.reason}). {TO_MEND}"
            ) from None
        except imaplib.IMAP4.abort:
            raise BounceMailboxUnavailable(f"{self._server} ferme la connexion. {RETRIED}") from None
        except imaplib.IMAP4.error as error:
            raise BounceMailboxUnavailable(
                f"{self._server} ne répond pas comme prévu ({_said(error)}). {RETRIED}"
            ) from None
        except OSError as error:
            raise BounceMailboxUnavailable(
                f"{self._server} ne répond pas ({type(error).__name__}). {RETRIED}"
            ) from None

    @property
    def _server(self) -> str:
        return f"Le serveur de la boîte des retours ({self._account.host}:{self._account.port})"


def _context(*, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _said(error: Exception) -> str:
    said: Any = error.args[0] if error.args else ""
    return words([said if isinstance(said, bytes) else str(said).encode()])
