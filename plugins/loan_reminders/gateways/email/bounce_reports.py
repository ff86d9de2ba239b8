"""Messages of the bounces' mailbox, understood: reports by RFC 3464 in RFC 6522 parts, the others by `flufl.bounce`.

Two looks: at the headers alone (`first_look`), which most messages need no more than, then at the whole (`read`). No
message can make either fail: what cannot be understood is `UNREADABLE`, what would take too long `TOO_COSTLY`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import uuid
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.utils import parsedate_to_datetime
from functools import lru_cache

from loan_reminders.domain.email.bounce_verdict import status_in, tells_a_failure, verdict
from loan_reminders.domain.email.feedback import Arrival, Bounce, BounceKind
from loan_reminders.domain.email.return_path import ANY_BOUNCE_ADDRESS
from loan_reminders.gateways.email.mime_parts import (
    Failure,
    addresses_in,
    failures_in,
    header,
    own_words,
    parts_of,
    returned_headers,
)
from loan_reminders.gateways.email.reading_limits import TimeLimit, TooCostly, within_limits

RAW_LIMIT = 4_000
DIAGNOSTIC_LIMIT = 500
NAMED_LIMIT = 60

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_MESSAGE_ID = re.compile(rf"<({_UUID})@[^\s<>@]+>", re.IGNORECASE)
_QUOTED_MESSAGE_ID = re.compile(rf"message-id:\s*<({_UUID})@[^\s<>@]+>", re.IGNORECASE)
_ENVELOPE_HEADERS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "Original-Recipient", "To")
_OUR_HEADERS = ("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References")
_MACHINES = re.compile(r"mailer-daemon|mail delivery|postmaster|mail\.?daemon|microsoftexchange", re.IGNORECASE)
_RETURNED = re.compile(
    r"undeliver|undelivered|non[- ]?remis|failure notice|delivery (status|failure|has failed|report)|returned mail"
    r"|mail delivery|delivery incomplete|delayed mail|[eé]chec de (la )?(remise|distribution|livraison)"
    r"|retour(n[eé])? [aà] l.exp[eé]diteur|message non (distribu|livr|d[eé]livr)[eé]",
    re.IGNORECASE,
)
_AWAY = re.compile(
    r"out of (the )?office|automatic reply|auto(matic)?[- ]?(reply|response)|vacation|on leave|r[eé]ponse automatique"
    r"|absen(ce|t)|cong[eé]s|abwesen",
    re.IGNORECASE,
)
_SPARE_LOG = "flufl.bounce"


def first_look(headers: bytes) -> Arrival | None:
    """What a message is as far as its headers say; None when it must be read whole, a report as it seems."""
    try:
        return _by_headers(message_from_bytes(headers))
    except Exception:  # whatever a stranger's headers do to the parser is no reason to stop
        return Arrival.UNREADABLE


def read(content: bytes, *, bounce_addresses: Collection[str] = ()) -> tuple[Arrival, Bounce | None]:
    """What a whole message is (or its beginning, when it is very long), and the bounce that it reports.

    `bounce_addresses` are where our e-mails come back, such as `local@domain`: each left with `local+<delivery>@domain`
    as its return path. None: they have no return path of their own, and only the Message-ID tells them.
    """
    try:
        time_limit = TimeLimit()
        return _read(message_from_bytes(within_limits(content)), bounce_addresses, time_limit)
    except (TooCostly, RecursionError):
        return Arrival.TOO_COSTLY, None
    except Exception:  # as above
        return Arrival.UNREADABLE, None


def _by_headers(message: Message) -> Arrival | None:
    if message.get_content_type() == "multipart/report":
        kind = str(message.get_param("report-type") or "delivery-status").lower()
        if kind == "disposition-notification":
            return Arrival.AUTO_REPLY
        return None if kind == "delivery-status" else Arrival.OTHER
    if _from_a_machine(message):
        return None
    if _is_auto_reply(message):
        return Arrival.AUTO_REPLY
    return None if _RETURNED.search(header(message, "Subject")) else Arrival.OTHER


def _from_a_machine(message: Message) -> bool:
    return "X-Failed-Recipients" in message or bool(_MACHINES.search(header(message, "From")))


def _is_auto_reply(message: Message) -> bool:
    """RFC 3834, and what came before it; a mailing list's `Precedence: bulk` alone is none."""
    if header(message, "Auto-Submitted").lower().startswith("auto-replied"):
        return True
    if any(name in message for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder")):
        return header(message, "X-Autoreply").lower() != "no"
    precedence = header(message, "Precedence").lower()
    if precedence in ("auto_reply", "auto-reply"):
        return True
    marked = precedence in ("bulk", "junk") or "X-Auto-Response-Suppress" in message
    return marked and "List-Id" not in message and bool(_AWAY.search(header(message, "Subject")))


def _read(message: Message, bounce_addresses: Collection[str], time_limit: TimeLimit) -> tuple[Arrival, Bounce | None]:
    time_limit.check()
    parts = parts_of(message)
    reported = failures_in(parts)
    time_limit.check()
    words = own_words(message, parts)
    quoted = returned_headers(parts, words)
    time_limit.check()
    ours = _delivery_id(message, quoted, bounce_addresses)
    if reported and all(one.action in ("delivered", "relayed", "expanded") for one in reported):
        return Arrival.SUCCESS, None
    failure = _mildest(reported) or _otherwise(message, words)
    time_limit.check()
    if failure is None and ours is not None and _from_a_machine(message) and tells_a_failure(words):
        failure = Failure(action="failed", status=status_in(words), diagnostic=_telling(words), recipients=())
    if failure is None:
        a_report = _from_a_machine(message) or message.get_content_type() == "multipart/report"
        return (Arrival.AUTO_REPLY if _is_auto_reply(message) and not a_report else Arrival.UNREADABLE), None
    kind = _kind(failure)
    failed = failure.recipients[0] if failure.recipients else ""
    named = dict.fromkeys((*failure.recipients, *addresses_in(words), *addresses_in(quoted)))
    return Arrival.BOUNCE, Bounce(
        fingerprint=_fingerprint(message, kind, ours, failed, failure),
        kind=kind,
        delivery_id=ours,
        recipient=failed,
        status=failure.status or status_in(failure.diagnostic),
        diagnostic=failure.diagnostic[:DIAGNOSTIC_LIMIT],
        received_at=_moment(header(message, "Date")),
        raw=_raw(message, reported, words),
        named=tuple(named)[:NAMED_LIMIT],
    )


def _kind(failure: Failure) -> BounceKind:
    if failure.action == "delayed":
        return BounceKind.DELAYED
    return verdict(status=failure.status, diagnostic=failure.diagnostic)


def _mildest(reported: Iterable[Failure]) -> Failure | None:
    """Of several recipients behind one address, the one that says the least against it."""
    order = {BounceKind.DELAYED: 0, BounceKind.SOFT: 1, BounceKind.HARD: 2}
    failed = [one for one in reported if one.action in ("failed", "delayed")]
    return min(failed, key=lambda one: order[_kind(one)], default=None)


def _otherwise(message: Message, words: str) -> Failure | None:
    """A report that follows no norm, as `flufl.bounce` knows many of them."""
    from flufl.bounce import all_failures

    logging.getLogger(_SPARE_LOG).setLevel(logging.CRITICAL)
    temporary, permanent = all_failures(message)
    found = [address.decode("ascii", "replace").strip().lower() for address in sorted(permanent or temporary)]
    if not found:
        return None
    if not permanent:
        return Failure(action="delayed", status="", diagnostic=_telling(words), recipients=tuple(found))
    said = _telling(words)
    return Failure(action="failed", status=status_in(said), diagnostic=said, recipients=tuple(found))


def _telling(words: str) -> str:
    """The lines of a report's own words that say why, on one line."""
    lines = [" ".join(line.split()) for line in words.splitlines()]
    why = [line for line in lines if line and tells_a_failure(line)]
    return " / ".join(why)[:DIAGNOSTIC_LIMIT]


def _delivery_id(message: Message, quoted: str, bounce_addresses: Collection[str]) -> uuid.UUID | None:
    """The delivery that a report is about: its own return path first, then the Message-ID that it quotes."""
    if bounce_addresses:
        path = _return_path_to(frozenset(bounce_addresses))
        for name in _ENVELOPE_HEADERS:
            for value in message.get_all(name, []):
                if found := path.search(str(value)):
                    return uuid.UUID(found[1])
        if found := path.search(quoted):
            return uuid.UUID(found[1])
    found = _QUOTED_MESSAGE_ID.search(quoted)
    if found is None:
        answered = f"{header(message, 'In-Reply-To')} {header(message, 'References')}"
        found = _MESSAGE_ID.search(answered)
    return uuid.UUID(found[1]) if found else None


@lru_cache(maxsize=8)
def _return_path_to(bounce_addresses: frozenset[str]) -> re.Pattern[str]:
    """What finds the return path of an e-mail that came back to one of these addresses, and the delivery in it."""
    delivery = r"[0-9a-f]{32}"
    if ANY_BOUNCE_ADDRESS in bounce_addresses:  # whose it is, the ledger says by the delivery
        return re.compile(rf"(?<![\w.+-])[\w.-]+\+({delivery})@", re.IGNORECASE)
    each = (one.rpartition("@") for one in sorted(bounce_addresses))
    any_of_them = "|".join(
        rf"{re.escape(local)}(?=\+{delivery}@{re.escape(domain)}(?![\w.-]))" for local, _, domain in each
    )
    return re.compile(rf"(?<![\w.+-])(?:{any_of_them})\+({delivery})@", re.IGNORECASE)


def _fingerprint(message: Message, kind: BounceKind, ours: uuid.UUID | None, failed: str, failure: Failure) -> str:
    known_by = (header(message, "Message-ID"), header(message, "Date"), kind.value, str(ours), failed, failure.status)
    return hashlib.sha256(json.dumps([*known_by, failure.diagnostic]).encode()).hexdigest()


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment if 1980 < moment.year < 2200 else None


def _raw(message: Message, reported: Iterable[Failure], words: str) -> str:
    headers = [f"{name}: {header(message, name)}" for name in _OUR_HEADERS if name in message]
    reports = [one.text for one in reported if one.text]
    return "\n".join([*headers, "", *reports, words.strip()])[:RAW_LIMIT]
