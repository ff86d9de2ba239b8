"""Bounces: reports of e-mails that came back, kept as they were understood, then settled.

To settle a bounce is to move its e-mail to BOUNCED, and to stop writing to a dead address.

A bounce is about an e-mail only when it quotes its delivery's id, which only its reader and the mail servers on the
way ever saw, and when it names the address that it went to, or none at all. Any other bounce is kept, and changes
nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, text

from loan_reminders.domain.desk import AsideKind
from loan_reminders.domain.email.feedback import Bounce
from loan_reminders.domain.email.mass_bounces import HeldBounces, of_crowded_domains
from loan_reminders.domain.ports.email_feedback import MailSettled
from loan_reminders.domain.recipients import EmailAddress
from loan_reminders.domain.suppressions.suppression import SuppressionSource
from loan_reminders.french import ledger as sentences
from loan_reminders.ledger import put_aside
from loan_reminders.ledger.email import held_bounces
from loan_reminders.ledger.json_codecs import storable
from loan_reminders.ledger.statistics.counting import count_again
from loan_reminders.ledger.suppressions import dead_addresses
from loan_reminders.ledger.suppressions import suppression_list as suppressions
from loan_reminders.ledger.tables.columns import dated

log = logging.getLogger(__name__)

PAGE = 500
RAW_LIMIT = 4_000

_KEEP = text(f"""
    INSERT INTO mail_bounces
        (library, fingerprint, kind, delivery_id, recipient, status, diagnostic, raw, received_at)
    SELECT DISTINCT ON (came.fingerprint)
        :library, came.fingerprint, came.kind, delivery.delivery_id,
        coalesce(lower(delivery.recipient), came.recipient), came.status, came.diagnostic, came.raw,
        {dated("came.received_at")}
    FROM json_to_recordset(CAST(:came AS json)) AS came(
        fingerprint text, kind text, delivery_id uuid, recipient text, named json, status text, diagnostic text,
        raw text, received_at timestamptz
    )
    LEFT JOIN deliveries delivery
      ON delivery.library = :library AND delivery.delivery_id = came.delivery_id AND delivery.channel = 'email'
     AND (came.recipient = '' OR lower(delivery.recipient) IN (SELECT json_array_elements_text(came.named)))
    ORDER BY came.fingerprint
    ON CONFLICT (library, fingerprint) DO NOTHING
    RETURNING bounce_id
""")  # noqa: S608 - the piece is this project's own
# An e-mail that is claimed is in its sender's hands, and one that is planned will be: their bounces wait until then.
_WAITS = """
    FROM mail_bounces bounce LEFT JOIN deliveries delivery USING (delivery_id)
    WHERE bounce.library = :library AND bounce.settled_at IS NULL AND bounce.held_at IS NULL
      AND (delivery.state IS NULL OR delivery.state NOT IN ('claimed', 'planned'))
"""
_WAITING = text(f"SELECT bounce.bounce_id {_WAITS} ORDER BY bounce.bounce_id LIMIT :page")
_BOUNCE = text("SELECT recipient, status, diagnostic FROM mail_bounces WHERE bounce_id = :bounce_id")
_BOUNCE_ASIDE = text("UPDATE mail_bounces SET settled_at = now() WHERE bounce_id = :bounce_id")
_SETTLE = text(f"""
    WITH page AS MATERIALIZED (
        SELECT bounce.*, delivery.recipient AS address, delivery.run_id, delivery.claimed_at,
               delivery.redirected
        {_WAITS} AND bounce.bounce_id = ANY(CAST(:bounces AS bigint[]))
        ORDER BY bounce.bounce_id
    ), decided AS MATERIALIZED (
        SELECT DISTINCT ON (delivery_id) *,
               CASE kind WHEN 'hard' THEN 'dead_address' ELSE 'recipient_refused' END AS reason
        FROM page WHERE delivery_id IS NOT NULL AND kind <> 'delayed'
        ORDER BY delivery_id, kind = 'soft', bounce_id
    ), before AS MATERIALIZED (
        SELECT delivery_id FROM deliveries
        WHERE delivery_id IN (SELECT delivery_id FROM decided) AND state IN ('accepted', 'in_doubt')
        ORDER BY delivery_id FOR NO KEY UPDATE
    ), moved AS (
        UPDATE deliveries delivery SET state = 'bounced', reason = decided.reason, answered_at = now()
        FROM decided JOIN before USING (delivery_id)
        WHERE delivery.delivery_id = decided.delivery_id AND reminders_may_move(delivery.state, 'bounced')
        RETURNING decided.bounce_id
    ), recorded AS (
        INSERT INTO receipts (library, delivery_id, state, reason, raw, applied)
        SELECT :library, delivery_id, 'bounced', reason, trim(status || ' ' || diagnostic),
               EXISTS (SELECT FROM moved WHERE moved.bounce_id = decided.bounce_id)
        FROM decided ORDER BY bounce_id
    ), settled AS (
        UPDATE mail_bounces bounce SET settled_at = now() FROM page WHERE bounce.bounce_id = page.bounce_id
    )
    SELECT page.bounce_id, page.kind, page.delivery_id, page.address, page.run_id, page.redirected,
           coalesce(page.claimed_at, {dated("page.received_at", "page.at")}, page.at) AS since,
           EXISTS (SELECT FROM moved WHERE moved.bounce_id = page.bounce_id) AS moved
    FROM page
""")  # noqa: S608 - the pieces are this project's own
# The readers of an address are found by its bounces, their e-mails by the readers: both have an index. What bounced
# before a librarian lifted the address does not count.
_TOO_OFTEN = text("""
    SELECT asked.address
    FROM unnest(CAST(:addresses AS text[])) AS asked(address)
    CROSS JOIN LATERAL (
        SELECT mail.state FROM (
            SELECT delivery.state, delivery.claimed_at,
                   max(delivery.claimed_at) FILTER (WHERE delivery.state = 'bounced') OVER () AS latest
            FROM notices JOIN deliveries delivery USING (notice_id)
            WHERE notices.library = :library AND delivery.channel = 'email' AND delivery.recipient = asked.address
              AND delivery.state IN ('accepted', 'delivered', 'bounced') AND NOT delivery.redirected
              AND notices.patron_id IN (
                  SELECT notice.patron_id
                  FROM mail_bounces bounce JOIN deliveries USING (delivery_id) JOIN notices notice USING (notice_id)
                  WHERE bounce.library = :library AND bounce.recipient = lower(asked.address)
              )
              AND delivery.claimed_at > coalesce(
                  (SELECT max(lifted_at) FROM suppressions lifted WHERE lifted.library = :library
                      AND lifted.channel = 'email' AND lifted.recipient = asked.address), '-infinity')
        ) AS mail
        WHERE mail.claimed_at <= mail.latest
        ORDER BY mail.claimed_at DESC LIMIT :failures
    ) AS last_ones
    GROUP BY asked.address
    HAVING count(*) = :failures AND bool_and(last_ones.state = 'bounced')
""")


class PostgresMailFeedback:
    """The part of one library's ledger where e-mails that came back are kept. Fulfils `MailFeedback`."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]], *, library: str) -> None:
        self._transaction = transaction
        self._library = library
        self._aside = 0

    def keep(self, bounces: Sequence[Bounce]) -> int:
        """Keep bounces, each once; returns how many are new. One that the ledger cannot hold is put aside."""

        def keep(some: Sequence[Bounce]) -> int:
            came = json.dumps([_encoded(bounce) for bounce in some])
            with self._transaction() as connection:
                return len(connection.execute(_KEEP, {"library": self._library, "came": came}).all())

        kept, refused = put_aside.each_alone(keep, bounces)
        self._put_aside([(_aside(bounce), why) for bounce, why in refused])
        return sum(kept)

    def _put_aside(
        self, refused: Sequence[tuple[put_aside.Row, str]], then: Callable[[Connection], Any] | None = None
    ) -> None:
        self._aside += put_aside.put_aside(self._transaction, self._library, refused, then=then)

    def put_aside(self) -> int:
        """How many bounces were put aside since this was last asked."""
        aside, self._aside = self._aside, 0
        return aside

    def settle(self, *, failures: int) -> MailSettled:
        """Settle what was kept, page by page, each page a transaction.

        Too many definite ones at once are held; a bounce that cannot be settled is put aside.
        """
        with self._transaction() as connection:
            suppressions.lock(connection, self._library)
            total = MailSettled(held=held_bounces.hold_back(connection, self._library))
        while True:
            with self._transaction() as connection:
                asked = {"library": self._library, "page": PAGE}
                waiting = connection.execute(_WAITING, asked).scalars().all()
            done, refused = put_aside.each_alone(partial(self._settle_some, failures), waiting)
            for bounce_id, why in refused:
                self._settle_aside(bounce_id, why)
            total = sum(done, total)
            if len(waiting) < PAGE:
                return total

    def held(self) -> Sequence[HeldBounces]:
        """Definite bounces that came too many at once and wait for a librarian, a line a domain."""
        with self._transaction() as connection:
            return held_bounces.held(connection, self._library)

    def decide(self, domain: str, *, dead: bool, who: str, failures: int) -> int:
        """Believe the held bounces of a domain, or not, and settle them; returns how many."""
        with self._transaction() as connection:
            suppressions.lock(connection, self._library)
            decided = held_bounces.decide(connection, self._library, domain, dead=dead, who=who)
        if decided:
            self.settle(failures=failures)
        return decided

    def _settle_some(self, failures: int, bounces: Sequence[int]) -> MailSettled:
        with self._transaction() as connection:
            suppressions.lock(connection, self._library)
            rows = connection.execute(_SETTLE, {"library": self._library, "bounces": list(bounces)}).all()
            dead = self._definitely_dead(connection, rows) + self._dead_in_a_row(connection, rows, failures)
            count_again(connection, self._library, (row.run_id for row in rows if row.moved))
        return MailSettled(
            bounces=len(rows),
            moved=sum(row.moved for row in rows),
            unknown=sum(row.delivery_id is None for row in rows),
            dead_addresses=dead,
        )

    def _settle_aside(self, bounce_id: int, why: str) -> None:
        with self._transaction() as connection:
            row = connection.execute(_BOUNCE, {"bounce_id": bounce_id}).one()
        identity = put_aside.identity("kept", bounce_id)
        said = f"{row.status} {row.diagnostic}"
        aside = put_aside.Row(kind=AsideKind.BOUNCE, identity=identity, about=row.recipient, said=said)
        self._put_aside([(aside, why)], lambda later: later.execute(_BOUNCE_ASIDE, {"bounce_id": bounce_id}))

    def _definitely_dead(self, connection: Connection, rows: Sequence[Any]) -> int:
        """Put on the list what a definite bounce named; by run, so that what a librarian lifted since stays lifted."""
        by_run: dict[int, list[Any]] = {}
        for row in rows:
            if row.kind == "hard" and row.delivery_id is not None and not row.redirected:
                by_run.setdefault(row.run_id, []).append(row)
        return sum(
            dead_addresses.mark_dead(
                connection,
                self._library,
                [EmailAddress(value=address) for address in dict.fromkeys(row.address for row in of_run)],
                since=min(row.since for row in of_run),
                source=SuppressionSource.BOUNCES,
                detail="retour définitif",
            )
            for of_run in by_run.values()
        )

    def _dead_in_a_row(self, connection: Connection, rows: Sequence[Any], failures: int) -> int:
        latest: dict[str, datetime] = {}
        for row in rows:
            if row.kind == "soft" and row.delivery_id is not None and not row.redirected:
                latest[row.address] = max(row.since, latest.get(row.address, row.since))
        if not latest:
            return 0
        asked = {"library": self._library, "addresses": list(latest), "failures": failures}
        dead = list(connection.execute(_TOO_OFTEN, asked).scalars())
        crowded = of_crowded_domains(dead)
        if crowded:
            log.warning(
                sentences.CROWDED_DOMAINS,
                len(crowded),
            )
        dead = [address for address in dead if address not in crowded]
        if not dead:
            return 0
        return dead_addresses.mark_dead(
            connection,
            self._library,
            [EmailAddress(value=address) for address in dead],
            since=max(latest[address] for address in dead),
            source=SuppressionSource.BOUNCES,
            detail=f"{failures} retours de suite",
        )


def _encoded(bounce: Bounce) -> dict[str, Any]:
    return {
        "fingerprint": bounce.fingerprint,
        "kind": bounce.kind.value,
        "delivery_id": None if bounce.delivery_id is None else str(bounce.delivery_id),
        "recipient": storable(bounce.recipient)[: put_aside.LONGEST_ADDRESS],
        "named": [storable(address) for address in (bounce.recipient, *bounce.named)],
        "status": storable(bounce.status)[: put_aside.LONGEST_NUMBER],
        "diagnostic": storable(bounce.diagnostic)[:RAW_LIMIT],
        "raw": storable(bounce.raw)[:RAW_LIMIT],
        "received_at": None if bounce.received_at is None else bounce.received_at.isoformat(),
    }


def _aside(bounce: Bounce) -> put_aside.Row:
    said = f"{bounce.status} {bounce.diagnostic}"
    return put_aside.Row(kind=AsideKind.BOUNCE, identity=bounce.fingerprint, about=bounce.recipient, said=said)
