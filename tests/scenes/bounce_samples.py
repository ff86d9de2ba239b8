"""Reports in the shape that mail servers give them, about an e-mail of ours."""

from __future__ import annotations

import uuid

TO = "lecteur1@etu.example.org"
SENDER = "relances@bu-montclar.example"
ID = uuid.UUID("0c7b0f9e-3c1a-4d55-9f0a-2f6f5f3f8d11")


def original(delivery: uuid.UUID, to: str) -> str:
    return (
        f"Return-Path: <{SENDER}>\nReceived: from bu-montclar.example by mx.example; Mon, 7 Dec 2026 08:00:01 +0100\n"
        f"From: BU <{SENDER}>\nTo: Camille <{to}>\nSubject: =?utf-8?b?UmFwcGVs?=\n"
        f"Message-ID: <{delivery}@bu-montclar.example>\nAuto-Submitted: auto-generated\n"
    )


def dsn(
    *,
    delivery: uuid.UUID = ID,
    to: str = TO,
    status: str = "5.1.1",
    action: str = "failed",
    diagnostic: str = "smtp; 550 5.1.1 <x> User unknown",
    more_fields: str = "",
    returned: str = "",
    message_id: str = "",
    headers: str = "",
    words: str = "This is the mail system at host mx.example.\n\nI'm sorry to have to inform you.\n",
    returned_type: str = "text/rfc822-headers",
) -> bytes:
    """Postfix: multipart/report with words, delivery-status, and the headers of what came back."""
    return f"""Return-Path: <>
Date: Mon, 7 Dec 2026 08:00:03 +0100 (CET)
From: MAILER-DAEMON@mx.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {SENDER}
Auto-Submitted: auto-replied
{headers}MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B/mx"
Message-Id: <{message_id or uuid.uuid4().hex}@mx.example>

This is a MIME-encapsulated message.

--B/mx
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

{words}
--B/mx
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Mon,  7 Dec 2026 08:00:01 +0100 (CET)

Final-Recipient: rfc822; {to}
{more_fields}Action: {action}
Status: {status}
Diagnostic-Code: {diagnostic}

--B/mx
Content-Description: Undelivered Message Headers
Content-Type: {returned_type}

{returned or original(delivery, to)}
--B/mx--
""".encode()


def exim(delivery: uuid.UUID = ID, to: str = TO, why: str = "550 5.1.1 <x>: Recipient address rejected") -> bytes:
    """Exim without the norm: one text."""
    return f"""Return-path: <>
X-Failed-Recipients: {to}
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mail.example>
To: {SENDER}
Subject: Mail delivery failed: returning message to sender
Message-Id: <E1exim-{delivery.hex}@mail.example>
Date: Mon, 07 Dec 2026 08:00:05 +0100

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {to}
    host mx.example [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<{to}>:
    {why}

------ This is a copy of the message, including all the headers. ------

{original(delivery, to)}
Bonjour
""".encode()


def qmail(delivery: uuid.UUID = ID, to: str = TO) -> bytes:
    return f"""Return-Path: <>
Date: 7 Dec 2026 07:00:04 -0000
From: MAILER-DAEMON@qmail.example
To: {SENDER}
Subject: failure notice
Message-ID: <qmail-{delivery.hex}@qmail.example>

Hi. This is the qmail-send program at qmail.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{to}>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

{original(delivery, to)}
Bonjour
""".encode()


def french(delivery: uuid.UUID = ID, to: str = TO) -> bytes:
    """A provider's own text in French, in Latin-1, without any norm."""
    return f"""Return-Path: <>
Date: Mon, 07 Dec 2026 08:00:05 +0100
From: Service de messagerie <postmaster@fournisseur.example>
To: {SENDER}
Subject: =?iso-8859-1?Q?=C9chec_de_la_remise?=
Message-ID: <fr-{delivery.hex}@fournisseur.example>
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: 8bit

Votre message n'a pas pu être remis à <{to}> :
550 5.1.1 Adresse d'au moins un destinataire invalide. OFR_416 [416]

----- En-têtes du message d'origine -----
{original(delivery, to)}""".encode("latin-1")


def exchange(delivery: uuid.UUID = ID, to: str = TO) -> bytes:
    """Office 365: HTML words, a status of its own, the whole message returned."""
    report = dsn(
        delivery=delivery,
        to=to,
        status="5.0.350",
        diagnostic="smtp;550 5.0.350 Remote server returned an error -> 550 5.1.10 RESOLVER.ADR.NotFound",
        more_fields="",
        returned=original(delivery, to) + "\nBonjour\n",
        returned_type="message/rfc822",
        headers=f"In-Reply-To: <{delivery}@bu-montclar.example>\nX-MS-Exchange-Message-Is-Ndr:\n",
    )
    return report.replace(
        b"Content-Type: text/plain; charset=us-ascii", b"Content-Type: text/html; charset=utf-8"
    ).replace(b"I'm sorry", "<p>N'a pas été trouvé</p> I'm sorry".encode())


def gmail(delivery: uuid.UUID = ID, to: str = TO, status: str = "5.2.2") -> bytes:
    full = status == "5.2.2"
    why = "The recipient's inbox is out of storage space." if full else "The account that you tried does not exist."
    return dsn(
        delivery=delivery,
        to=to,
        status=status,
        diagnostic=f"smtp; 55{2 if full else 0}-{status} {why} {status} - gsmtp",
        headers=f"X-Failed-Recipients: {to}\nReferences: <{delivery}@bu-montclar.example>\n",
    )


def away(**headers: str) -> bytes:
    said = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in headers.items())
    return f"From: {TO}\nTo: {SENDER}\nSubject: Absence du bureau\n{said}\nJe suis absente.\n".encode()


def human(subject: str = "Re: Rappel") -> bytes:
    return f"From: {TO}\nTo: {SENDER}\nSubject: {subject}\n\nBonjour, je l'ai rendu : {TO} 550 5.1.1\n".encode()


HEAD = "From: MAILER-DAEMON@x.example\nSubject: failure notice\nContent-Type: text/{}\n\n"
_REPORT = (
    'From: MAILER-DAEMON@x.example\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n{}'
)
_STATUS = "--b\nContent-Type: message/delivery-status\n\n"
COSTLY = {
    "parts": _REPORT.format("--b\n\nx\n" * 20_000),
    "nested": "".join(f'Content-Type: multipart/mixed; boundary="{n}"\n\n--{n}\n' for n in range(3000)),
    "messages within messages": HEAD.format("plain") + "Content-Type: message/rfc822\n\n" * 8_000,
    "groups of fields": _REPORT.format(_STATUS + "A: b\n\n" * 40_000),
    "headers": HEAD.format("plain").replace("\n\n", "\n" + "X: y\n" * 50_000 + "\n"),
    "a few parts too many": _REPORT.format("--b\n\nx\n" * 60),
}
"""Messages that cost too much to take apart, by what there is too much of."""
