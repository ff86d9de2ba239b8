"""The statements of an erasure at a reader's request: what keeps each loan and the reader himself, and what goes."""

from __future__ import annotations

from sqlalchemy import text

from loan_reminders.ledger.removal.loans import DISPUTED

READER = text("SELECT * FROM readers WHERE library = :library AND patron_id = :patron_id FOR UPDATE")
# Each cycle with what keeps it, the first of these that applies. A registered letter is proof until it came back.
CYCLES = text(f"""
    SELECT ended.loan_id, ended.due_date, CASE
        WHEN dispute.until IS NOT NULL THEN 'dispute'
        WHEN ended.ended_on IS NULL AND ended.is_loan THEN 'open_loan'
        WHEN EXISTS (
            SELECT FROM loans_seen seen JOIN runs run USING (run_id)
            WHERE seen.library = :library AND seen.loan_id = ended.loan_id AND seen.due_date = ended.due_date
              AND run.state <> 'closed' AND run.started_at > now() - interval '31 days' OFFSET 0
        ) THEN 'run_under_way'
        WHEN EXISTS (
            SELECT FROM delivery_loans claim JOIN letters letter USING (delivery_id)
            JOIN letter_batches batch ON batch.batch_id = letter.batch_id
            WHERE claim.delivery_id = ANY(CAST(:deliveries AS uuid[])) AND claim.loan_id = ended.loan_id
              AND claim.due_date = ended.due_date AND letter.left_out IS NULL
              AND batch.state IN ('draft', 'ready') OFFSET 0
        ) THEN 'letter_not_printed'
        WHEN EXISTS (
            SELECT FROM delivery_loans claim JOIN registered_letters letter USING (delivery_id)
            WHERE claim.delivery_id = ANY(CAST(:deliveries AS uuid[])) AND claim.loan_id = ended.loan_id
              AND claim.due_date = ended.due_date AND letter.state IN ('printed', 'numbered', 'posted') OFFSET 0
        ) THEN 'registered_under_way'
    END AS kept, dispute.until
    FROM loan_ends ended
    LEFT JOIN LATERAL (
        SELECT max(dispute.until) AS until FROM disputes dispute
        WHERE dispute.library = :library AND dispute.patron_id = :patron_id AND {DISPUTED}
          AND dispute.loan_id IN ('', ended.loan_id)
    ) AS dispute ON true
    WHERE ended.library = :library AND ended.loan_id = ANY(CAST(:loans AS text[])) AND NOT EXISTS (
        SELECT FROM loans_seen seen
        WHERE seen.library = :library AND seen.loan_id = ended.loan_id AND seen.due_date = ended.due_date
          AND seen.patron_id <> :patron_id OFFSET 0
    )
    ORDER BY ended.due_date, ended.loan_id
""")  # noqa: S608 - the condition is a module's own
# A loan that a run has read and not yet planned is in no cycle that is followed.
BEING_READ = text("""
    SELECT count(*) FROM loans_seen seen JOIN runs run USING (run_id)
    WHERE seen.library = :library AND seen.loan_id = ANY(CAST(:loans AS text[])) AND seen.patron_id = :patron_id
      AND NOT run.dry_run AND run.state <> 'closed' AND run.started_at > now() - interval '31 days'
      AND NOT EXISTS (
          SELECT FROM loan_ends ended WHERE ended.library = :library AND ended.loan_id = seen.loan_id
            AND ended.due_date = seen.due_date OFFSET 0
      )
""")
DISPUTES = text(f"""
    SELECT count(*) AS number, max(until) AS until FROM disputes dispute
    WHERE dispute.library = :library AND dispute.patron_id = :patron_id AND {DISPUTED}
""")  # noqa: S608 - the condition is a module's own
HOLDS = text("""
    SELECT count(*) AS number, max(until) AS until FROM holds
    WHERE library = :library AND patron_id = :patron_id AND lifted_at IS NULL AND until >= CAST(:today AS date)
""")
# Whatever the reason: a reader of whom something is left is not forgotten.
LEFT = text("""
    SELECT count(DISTINCT loan_id) FROM (
        SELECT unnest(loan_ids) AS loan_id FROM notices WHERE library = :library AND patron_id = :patron_id
        UNION ALL SELECT loan_id FROM skips WHERE library = :library AND patron_id = :patron_id
    ) AS known
""")
# The files of a batch never change: what was left out of it is in them too. Those of a draft that was abandoned are
# removed before its run is closed, or in the night after.
IN_FILES = text("""
    SELECT count(DISTINCT letter.batch_id) FROM letters letter JOIN letter_batches batch USING (batch_id)
    JOIN runs run ON run.run_id = batch.run_id
    WHERE letter.library = :library AND letter.delivery_id = ANY(CAST(:deliveries AS uuid[]))
      AND (batch.state <> 'abandoned' OR coalesce(run.closed_at > now() - interval '1 day', true))
""")
_DISPUTED = f"""EXISTS (
    SELECT FROM disputes dispute WHERE dispute.library = :library AND dispute.patron_id = :patron_id AND {DISPUTED}
      AND (dispute.loan_id = '' OR dispute.loan_id = {{loan}})
)"""
# What could not be read is of no cycle; it stays in the books of a run that goes on.
UNREAD = text(f"""
        DELETE FROM skips skip USING runs run
        WHERE skip.library = :library AND skip.patron_id = :patron_id AND run.run_id = skip.run_id
          AND (run.dry_run OR run.state = 'closed' OR run.started_at <= now() - interval '31 days')
          AND (run.dry_run OR NOT EXISTS (
              SELECT FROM loan_ends ended WHERE ended.library = :library AND ended.loan_id = skip.loan_id
                AND (ended.due_date = skip.due_date OR skip.due_date IS NULL) OFFSET 0
          ))
          AND NOT {_DISPUTED.format(loan="skip.loan_id")}
        RETURNING skip.run_id, skip.slot, skip.reason
""")  # noqa: S608 - the condition is this module's own
REHEARSED = (
    text(f"""
        DELETE FROM loans_seen seen USING runs run
        WHERE seen.library = :library AND seen.loan_id = ANY(CAST(:loans AS text[])) AND seen.patron_id = :patron_id
          AND run.run_id = seen.run_id AND (run.dry_run OR run.loans_extracted IS NULL
              AND run.started_at <= now() - interval '31 days')
          AND NOT {_DISPUTED.format(loan="seen.loan_id")}
    """),  # noqa: S608 - the condition is this module's own
    text(f"""
        DELETE FROM deliveries delivery USING notices notice, runs run
        WHERE notice.library = :library AND notice.patron_id = :patron_id AND delivery.notice_id = notice.notice_id
          AND run.run_id = notice.run_id AND run.dry_run
          AND NOT {_DISPUTED.format(loan="ANY(notice.loan_ids)")}
    """),  # noqa: S608 - the condition is this module's own
    text("""
        DELETE FROM notices notice USING runs run
        WHERE notice.library = :library AND notice.patron_id = :patron_id AND run.run_id = notice.run_id AND run.dry_run
          AND NOT EXISTS (SELECT FROM deliveries WHERE notice_id = notice.notice_id OFFSET 0)
    """),
)
# What came from the reader's own numbers and addresses, without a message: of several readers who share one, it may be
# another's.
STRANGERS = (
    text("""
        DELETE FROM sms_replies WHERE library = :library AND left(phone_number, 40) = ANY(CAST(:numbers AS text[]))
          AND settled_at IS NOT NULL
    """),
    text("""
        DELETE FROM sms_acks WHERE library = :library AND left(phone_number, 40) = ANY(CAST(:numbers AS text[]))
          AND delivery_id IS NULL AND settled_at IS NOT NULL
    """),
    text("""
        DELETE FROM mail_bounces WHERE library = :library AND recipient = ANY(CAST(:emails AS text[]))
          AND delivery_id IS NULL AND settled_at IS NOT NULL
    """),
    text("DELETE FROM put_aside WHERE library = :library AND left(about, 320) = ANY(CAST(:contacts AS text[]))"),
)
UNSETTLED = text("""
    SELECT (SELECT count(*) FROM sms_replies WHERE library = :library
              AND left(phone_number, 40) = ANY(CAST(:numbers AS text[])) AND settled_at IS NULL)
         + (SELECT count(*) FROM sms_acks WHERE library = :library
              AND left(phone_number, 40) = ANY(CAST(:numbers AS text[])) AND delivery_id IS NULL AND settled_at IS NULL)
         + (SELECT count(*) FROM mail_bounces WHERE library = :library
              AND recipient = ANY(CAST(:emails AS text[])) AND delivery_id IS NULL AND settled_at IS NULL)
""")
OTHERS_HAVE = text("""
    SELECT asked.channel, asked.recipient
    FROM unnest(CAST(:channels AS text[]), CAST(:recipients AS text[])) AS asked(channel, recipient)
    WHERE asked.channel = 'sms' AND EXISTS (
        SELECT FROM readers WHERE library = :library AND mobile = asked.recipient AND mobile <> ''
          AND patron_id <> :patron_id OFFSET 0
    ) OR asked.channel = 'email' AND EXISTS (
        SELECT FROM readers WHERE library = :library AND lower(email) = lower(asked.recipient)
          AND patron_id <> :patron_id OFFSET 0
    )
""")
LISTED = text("""
    SELECT line.suppression_id, line.channel, line.recipient, line.lifted_at IS NULL AS in_force
    FROM unnest(CAST(:channels AS text[]), CAST(:recipients AS text[])) AS asked(channel, recipient)
    JOIN suppressions line ON line.library = :library AND line.channel = asked.channel
     AND line.recipient = asked.recipient
    ORDER BY line.suppression_id
""")
HIDES = text("UPDATE retention_state SET hides_contacts = true WHERE library = :library AND NOT hides_contacts")
REMOVE = text("DELETE FROM readers WHERE library = :library AND patron_id = :patron_id")
