"""Too many definite bounces at once are held: the fault may be ours, so a librarian or a later bounce decides.

A held bounce changes nothing: its e-mail stays accepted, and its address is still written to. A bounce that comes
later, and not among too many, confirms the held bounces of the same address.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Connection, text

from loan_reminders.domain.email.mass_bounces import DayOfMail, DeadCandidate, HeldBounces, bounces_to_hold, domain_of
from loan_reminders.domain.email.return_path import without_addresses
from loan_reminders.domain.journal import JournalAct
from loan_reminders.ledger.journal import keep
from loan_reminders.ledger.json_codecs import storable

_DYING = text("""
    SELECT bounce.bounce_id, bounce.recipient, run.today
    FROM mail_bounces bounce JOIN deliveries delivery USING (delivery_id) JOIN runs run USING (run_id)
    WHERE bounce.library = :library AND bounce.settled_at IS NULL AND bounce.held_at IS NULL
      AND bounce.decided_by = '' AND bounce.kind = 'hard' AND delivery.state NOT IN ('claimed', 'planned')
      AND NOT delivery.redirected
""")
_DAYS = text("""
    SELECT run.today, count(*) AS sent,
           count(DISTINCT lower(delivery.recipient))
               FILTER (WHERE delivery.state = 'bounced' AND delivery.reason = 'dead_address') AS dead
    FROM runs run JOIN deliveries delivery USING (run_id)
    WHERE run.library = :library AND run.today = ANY(CAST(:days AS date[])) AND NOT run.dry_run
      AND delivery.channel = 'email' AND delivery.claimed_at IS NOT NULL AND NOT delivery.redirected
    GROUP BY run.today
""")
_HOLD = text("UPDATE mail_bounces SET held_at = now() WHERE bounce_id = ANY(CAST(:bounces AS bigint[]))")
_CONFIRM = text("""
    UPDATE mail_bounces SET held_at = NULL, decided_by = 'autre retour'
    WHERE library = :library AND held_at IS NOT NULL AND settled_at IS NULL
      AND recipient = ANY(CAST(:addresses AS text[]))
""")
_HELD = text("""
    SELECT recipient, diagnostic, status, held_at FROM mail_bounces
    WHERE library = :library AND held_at IS NOT NULL AND settled_at IS NULL ORDER BY bounce_id
""")
_DECIDE = text("""
    UPDATE mail_bounces SET held_at = NULL, decided_by = :who, kind = :kind
    WHERE library = :library AND held_at IS NOT NULL AND settled_at IS NULL
      AND lower(split_part(recipient, '@', 2)) = :domain
    RETURNING bounce_id
""")


def hold_back(connection: Connection, library: str) -> int:
    """Hold the bounces by which too many addresses would be dead at once; returns how many.

    Those that are not too many confirm what is held of the same addresses.
    """
    dying = [
        DeadCandidate(bounce_id=row.bounce_id, address=row.recipient, day=row.today)
        for row in connection.execute(_DYING, {"library": library})
    ]
    if not dying:
        return 0
    held = bounces_to_hold(dying, days_of_mail(connection, library, sorted({one.day for one in dying})))
    if held:
        connection.execute(_HOLD, {"bounces": sorted(held)})
    believed = sorted({one.address for one in dying if one.bounce_id not in held})
    if believed:
        connection.execute(_CONFIRM, {"library": library, "addresses": believed})
    return len(held)


def held(connection: Connection, library: str) -> Sequence[HeldBounces]:
    """The held bounces, a line a domain, the domain with most addresses first."""
    of_domain: dict[str, list[tuple[str, str, datetime]]] = {}
    for row in connection.execute(_HELD, {"library": library}):
        said = without_addresses(row.diagnostic) or row.status
        of_domain.setdefault(domain_of(row.recipient), []).append((row.recipient, said, row.held_at))
    lines = [
        HeldBounces(
            domain=domain,
            addresses=len({address for address, _, _ in some}),
            said=some[0][1],
            since=min(moment for _, _, moment in some),
        )
        for domain, some in of_domain.items()
    ]
    return tuple(sorted(lines, key=lambda line: (-line.addresses, line.domain)))


def decide(connection: Connection, library: str, domain: str, *, dead: bool, who: str) -> int:
    """Believe the bounces of one domain, or not: their e-mails came back all the same. Returns how many bounces."""
    asked = {"library": library, "domain": domain.lower(), "who": storable(who), "kind": "hard" if dead else "soft"}
    decided = len(connection.execute(_DECIDE, asked).all())
    if decided:
        act = JournalAct.BOUNCES_BELIEVED if dead else JournalAct.BOUNCES_NOT_BELIEVED
        keep(connection, library, who=who, act=act, detail=domain.lower(), facts={"bounces": decided})
    return decided


def days_of_mail(connection: Connection, library: str, days: Sequence[date]) -> dict[date, DayOfMail]:
    """For each of these days, how many e-mails left, and how many addresses were found dead by them."""
    rows = connection.execute(_DAYS, {"library": library, "days": list(days)})
    return {row.today: DayOfMail(sent=row.sent, dead=row.dead) for row in rows}
