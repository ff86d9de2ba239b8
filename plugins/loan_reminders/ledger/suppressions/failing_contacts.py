"""Contacts of readers that fail, noted as runs are planned and as suppressions come.

A run that was planned says of each reader it saw which contact the ILS gave: a line about another contact ends, one
about a contact that failed once more is counted again. What is put on the list of suppressions becomes a line of the
readers who have that number or address; a trigger of migration 0012 ends it when the suppression is lifted.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import Connection, text

from loan_reminders.domain.readers.corrections import ContactFault
from loan_reminders.domain.stages import Channel

# The contacts that the ILS gave for the readers of a run, whichever loan says so: a reader has one description a day.
_SEEN = """
    SELECT DISTINCT ON (patron_id) patron_id, record -> 'patron' AS patron, coalesce(record ->> 'branch', '') AS branch
    FROM loans_seen WHERE run_id = :run_id ORDER BY patron_id, seq
"""
_END_CHANGED = text(f"""
    WITH seen AS ({_SEEN})
    UPDATE corrections line SET ended_at = now()
    FROM seen
    WHERE line.library = :library AND line.patron_id = seen.patron_id AND line.ended_at IS NULL
      AND CASE
          WHEN line.fault IN ('stop', 'dead_number') THEN
              seen.patron #>> '{{mobile,value}}' IS DISTINCT FROM line.contact
          WHEN line.fault = 'bounced_email' THEN
              lower(seen.patron #>> '{{email,value}}') IS DISTINCT FROM lower(line.contact)
          WHEN line.fault = 'unusable_email' THEN coalesce(seen.patron #>> '{{email,refusal}}', 'missing') = 'missing'
          WHEN line.fault = 'returned_letter' THEN
              CAST(seen.patron -> 'address' -> 'lines' AS text) IS DISTINCT FROM
              CAST(CAST(line.contact AS jsonb) -> 'lines' AS text)
          WHEN line.fault = 'unusable_address' THEN seen.patron #>> '{{address,refusal}}' IS NULL
          ELSE seen.patron #>> '{{address,refusal}}' IS NULL OR seen.patron #>> '{{email,refusal}}' IS NULL
              OR seen.patron #>> '{{mobile,refusal}}' IS NULL
      END
""")  # noqa: S608 - the piece is this module's own
# A line that ended, or is about something else that is wrong, begins anew; one that is the same fails once more.
_NOTE_FAILED = text(f"""
    WITH seen AS ({_SEEN}), failed AS (
        SELECT DISTINCT ON (skip.patron_id) skip.patron_id, seen.branch, coalesce(seen.patron ->> 'name', '') AS name,
               seen.patron #>> '{{email,refusal}}' AS email, seen.patron #>> '{{address,refusal}}' AS address,
               CASE WHEN seen.patron #>> '{{address,refusal}}' = 'missing'
                     AND seen.patron #>> '{{email,refusal}}' IS NOT NULL
                     AND seen.patron #>> '{{mobile,refusal}}' IS NOT NULL THEN 'no_contact'
                    WHEN skip.detail LIKE '%letter:%' AND seen.patron #>> '{{address,refusal}}' IS NOT NULL
                    THEN 'unusable_address'
                    WHEN seen.patron #>> '{{email,refusal}}' <> 'missing' THEN 'unusable_email' END AS fault
        FROM skips skip JOIN seen USING (patron_id)
        WHERE skip.run_id = :run_id AND skip.reason IN ('invalid_recipient', 'no_recipient')
          AND coalesce(skip.slot, 'written') = 'written'
        ORDER BY skip.patron_id, skip.skip_id
    )
    INSERT INTO corrections AS line (library, patron_id, fault, contact, branch, name)
    SELECT :library, patron_id, fault, CASE fault WHEN 'unusable_email' THEN email ELSE address END, branch, name
    FROM failed WHERE fault IS NOT NULL ORDER BY patron_id COLLATE "C"
    ON CONFLICT (library, patron_id, fault) DO UPDATE SET
        branch = excluded.branch, name = excluded.name, contact = excluded.contact, failed_at = now(), ended_at = NULL,
        since = CASE WHEN line.ended_at IS NULL THEN line.since ELSE now() END,
        settled_at = CASE WHEN line.ended_at IS NULL THEN line.settled_at END,
        outcome = CASE WHEN line.ended_at IS NULL THEN line.outcome END
""")  # noqa: S608 - the piece is this module's own
_NOTE_SUPPRESSED = """
    INSERT INTO corrections AS line (library, patron_id, fault, contact, branch, name, since, suppression_id)
    SELECT DISTINCT ON (reader.patron_id)
           :library, reader.patron_id, :fault, entry.recipient, reader.branch, reader.name, entry.since,
           entry.suppression_id
    FROM suppressions entry
    JOIN readers reader ON reader.library = entry.library AND {is_theirs}
    WHERE entry.library = :library AND entry.channel = '{channel}' AND entry.lifted_at IS NULL
      AND entry.recipient = ANY(CAST(:recipients AS text[]))
    ORDER BY reader.patron_id
    ON CONFLICT (library, patron_id, fault) DO UPDATE SET
        contact = excluded.contact, branch = excluded.branch, name = excluded.name, since = excluded.since,
        failed_at = now(),
        suppression_id = excluded.suppression_id, ended_at = NULL, settled_at = NULL, outcome = NULL
    RETURNING correction_id
"""
_NOTE_NUMBERS = text(
    _NOTE_SUPPRESSED.format(channel="sms", is_theirs="reader.mobile = entry.recipient AND reader.mobile <> ''")
)
_NOTE_EMAILS = text(
    _NOTE_SUPPRESSED.format(
        channel="email", is_theirs="lower(reader.email) = lower(entry.recipient) AND reader.email <> ''"
    )
)
_NOTE_RETURNED = text("""
    INSERT INTO corrections AS line (library, patron_id, fault, contact, branch, name, since, suppression_id)
    SELECT :library, notice.patron_id, 'returned_letter', entry.recipient, coalesce(reader.branch, ''),
           coalesce(reader.name, ''), entry.since, entry.suppression_id
    FROM suppressions entry
    JOIN deliveries delivery ON delivery.delivery_id = :delivery_id
    JOIN notices notice ON notice.notice_id = delivery.notice_id
    LEFT JOIN readers reader ON reader.library = entry.library AND reader.patron_id = notice.patron_id
    WHERE entry.suppression_id = :suppression_id
    ON CONFLICT (library, patron_id, fault) DO UPDATE SET
        contact = excluded.contact, branch = excluded.branch, name = excluded.name, since = excluded.since,
        failed_at = now(),
        suppression_id = excluded.suppression_id, ended_at = NULL, settled_at = NULL, outcome = NULL
    RETURNING correction_id
""")
# A notice failed by a contact when it was skipped for it, when its message came back or was refused or cancelled for
# it, or when a letter took the place of the e-mail. One that was told by another channel has failed all the same. The
# letter that just came back (`returned`) is noted before its return is written.
_COUNTED = """
    SELECT line.correction_id, line.notices AS before, count(DISTINCT (run.stage, run.due_date)) AS notices
    FROM lines line JOIN LATERAL (
        SELECT skip.run_id FROM skips skip
        WHERE skip.library = :library AND skip.patron_id = line.patron_id AND CASE line.fault
            WHEN 'stop' THEN skip.reason = 'opted_out'
            WHEN 'dead_number' THEN skip.reason = 'dead_number'
            WHEN 'bounced_email' THEN skip.detail LIKE '%email:suppressed%'
            WHEN 'returned_letter' THEN skip.detail LIKE '%letter:suppressed%'
            WHEN 'unusable_address' THEN skip.detail LIKE '%letter:%' AND skip.reason <> 'dead_address'
            WHEN 'unusable_email' THEN skip.detail LIKE '%email:%' AND skip.detail NOT LIKE '%email:suppressed%'
            ELSE skip.reason IN ('no_recipient', 'invalid_recipient') END
        UNION ALL
        SELECT delivery.run_id
        FROM notices notice JOIN deliveries delivery USING (notice_id)
        WHERE notice.library = :library AND notice.patron_id = line.patron_id AND delivery.recipient = line.contact
          AND (delivery.state IN ('bounced', 'refused') AND NOT delivery.redirected
               OR delivery.state = 'cancelled' AND delivery.reason IN ('opted_out', 'dead_number', 'dead_address')
               OR line.fault = 'returned_letter' AND (
                   delivery.delivery_id = CAST(:returned AS uuid)
                   OR delivery.channel = 'letter' AND (
                       SELECT true FROM letter_events back
                       WHERE back.delivery_id = delivery.delivery_id AND back.act = 'returned' LIMIT 1)
                   OR delivery.channel = 'registered_letter' AND (
                       SELECT posted.return_reason = 'returned_undeliverable' FROM registered_letters posted
                       WHERE posted.delivery_id = delivery.delivery_id)))
        UNION ALL
        SELECT letter.run_id
        FROM notices notice JOIN deliveries letter USING (notice_id)
        WHERE notice.library = :library AND notice.patron_id = line.patron_id AND letter.channel = 'letter'
          AND line.fault IN ('bounced_email', 'unusable_email')
    ) AS failed ON true
    JOIN runs run ON run.run_id = failed.run_id AND NOT run.dry_run
     AND run.started_at >= line.since - interval '1 month'
    GROUP BY line.correction_id, line.notices
"""
_COUNT = text(f"""
    WITH lines AS MATERIALIZED (SELECT * FROM corrections WHERE correction_id = ANY(CAST(:lines AS bigint[]))),
    counted AS ({_COUNTED})
    UPDATE corrections line SET notices = counted.notices FROM counted
    WHERE line.correction_id = counted.correction_id
""")  # noqa: S608 - the piece is this module's own
# A reader who said STOP is not written to: that is no new failure. Any other contact that was of no use again is.
_COUNT_OF_RUN = text(f"""
    WITH lines AS MATERIALIZED (
        SELECT line.* FROM corrections line JOIN ({_SEEN}) AS seen USING (patron_id)
        WHERE line.library = :library AND line.ended_at IS NULL
    ), counted AS ({_COUNTED})
    UPDATE corrections line SET notices = counted.notices,
        failed_at = CASE WHEN line.fault <> 'stop' AND counted.notices > counted.before THEN now()
                         ELSE line.failed_at END
    FROM counted WHERE line.correction_id = counted.correction_id
""")  # noqa: S608 - the piece is this module's own
_FAULTS = {
    "stop": ContactFault.STOP,
    "blacklist": ContactFault.STOP,
    "dead_number": ContactFault.DEAD_NUMBER,
    "hard_bounce": ContactFault.BOUNCED_EMAIL,
}


def note_planned(connection: Connection, library: str, run_id: int) -> None:
    """Note what a run that was just planned says of contacts: changed, failed once more, failing for the first time."""
    asked = {"library": library, "run_id": run_id, "returned": None}
    for statement in (_END_CHANGED, _NOTE_FAILED, _COUNT_OF_RUN):
        connection.execute(statement, asked)


def note_suppressed(
    connection: Connection, library: str, channel: Channel, reason: str, recipients: Sequence[str]
) -> None:
    """Note the readers who have one of these numbers or addresses, which were just put on the list."""
    fault = _FAULTS.get(reason)
    if fault is None or not recipients:
        return
    statement = _NOTE_NUMBERS if channel is Channel.SMS else _NOTE_EMAILS
    asked = {"library": library, "fault": fault.value, "recipients": list(recipients)}
    _count(connection, library, connection.execute(statement, asked).scalars().all())


def note_returned(connection: Connection, library: str, suppression_id: int, delivery_id: uuid.UUID) -> None:
    """Note the reader of a letter that came back, whose address is on the list by that line."""
    asked = {"library": library, "suppression_id": suppression_id, "delivery_id": delivery_id}
    noted = connection.execute(_NOTE_RETURNED, asked).scalars().all()
    _count(connection, library, noted, returned=delivery_id)


def _count(connection: Connection, library: str, lines: Sequence[int], *, returned: uuid.UUID | None = None) -> None:
    if lines:
        connection.execute(_COUNT, {"library": library, "lines": list(lines), "returned": returned})
