"""What reached the readers: counted at the servers and in the bucket, held against the ledger."""

from __future__ import annotations

import email
import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from email import policy

from tests.e2e.celery_installation import CeleryInstallation

Told = frozenset[tuple[str, ...]]


def told(installation: CeleryInstallation) -> Told:
    """Who was told what: stage, reader, channel and what became of each message.

    An SMS is told to a number: of two readers who share one, a day's text goes to whoever's leaves first, by chance.
    """
    rows = installation.sql(
        "SELECT runs.stage, CASE channel WHEN 'sms' THEN recipient ELSE notices.patron_id END, channel,"
        " deliveries.state"
        " FROM deliveries JOIN notices USING (notice_id) JOIN runs ON runs.run_id = deliveries.run_id"
    )
    return frozenset(tuple(map(str, row)) for row in rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What reached the readers, held against the ledger: counts of messages."""

    notices: int
    emails: int
    lost: int
    doubled: int
    unmarked: int
    in_doubt: int
    sms: int
    sms_doubled: int
    letters: int
    batches_wrong: int
    unbalanced: int
    waiting: int

    @property
    def right(self) -> bool:
        wrong = self.lost or self.unmarked or self.sms_doubled or self.batches_wrong or self.unbalanced or self.waiting
        return not wrong


def reached(installation: CeleryInstallation) -> Reached:
    """Count at the servers and in the bucket."""
    sql = installation.sql
    copies = Counter(
        str(email.message_from_bytes(path.read_bytes(), policy=policy.default)["Message-ID"]).strip("<>").split("@")[0]
        for path in installation.mail.glob("*.eml")
    )
    sent = {
        str(one) for (one,) in sql("SELECT delivery_id FROM deliveries WHERE channel = 'email' AND state = 'accepted'")
    }
    marked = {str(one) for (one,) in sql("SELECT delivery_id FROM deliveries WHERE resent_in_doubt")}
    again = {one: count - 1 for one, count in copies.items() if count > 1}
    texts = [json.loads(line)["phone_number"] for line in installation.sms.read_text(encoding="utf-8").splitlines()]
    wrong = 0
    for pdf, digest in sql("SELECT pdf, sha256 FROM letter_batches WHERE state = 'ready'"):
        key = f"letters/{pdf}"
        known = key in installation.s3.names()
        wrong += not known or hashlib.sha256(installation.s3.read(key)).hexdigest() != digest
    [(sms,)] = sql("SELECT count(*) FROM deliveries WHERE channel = 'sms' AND state IN ('accepted', 'delivered')")
    return Reached(
        notices=sql("SELECT count(*) FROM notices")[0][0],
        emails=len(sent),
        lost=len(sent - copies.keys()),
        doubled=sum(again.values()),
        unmarked=sum(count for one, count in again.items() if one not in marked) + len(copies.keys() - sent),
        in_doubt=sql("SELECT count(DISTINCT delivery_id) FROM receipts WHERE state = 'in_doubt'")[0][0],
        sms=sms,
        sms_doubled=len(texts) - len(set(texts)) + abs(len(texts) - sms),
        letters=sql(
            "SELECT count(*) FROM deliveries WHERE channel IN ('letter', 'registered_letter') AND state = 'accepted'"
        )[0][0],
        batches_wrong=wrong,
        unbalanced=sql("SELECT count(*) FROM runs WHERE state <> 'closed' OR NOT balanced")[0][0],
        waiting=sql("SELECT count(*) FROM deliveries WHERE state IN ('planned', 'claimed', 'in_doubt')")[0][0],
    )
