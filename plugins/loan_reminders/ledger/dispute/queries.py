"""The questions that the file of a loan asks the ledger."""

from __future__ import annotations

from sqlalchemy import text

from loan_reminders.domain.stages import Channel
from loan_reminders.ledger.tables.columns import dated

_CHANNELS = ", ".join(f"'{channel.value}'" for channel in Channel)
# The newest description is looked for run by run, which the primary key of `loans_seen` serves.
_NEWEST = """
    LEFT JOIN LATERAL (
        SELECT seen.record, run.run_id FROM runs run CROSS JOIN LATERAL (
            SELECT record FROM loans_seen
            WHERE run_id = run.run_id AND loan_id = named.loan_id ORDER BY due_date DESC LIMIT 1
        ) AS seen
        WHERE run.library = :library AND NOT run.dry_run
        ORDER BY run.run_id DESC LIMIT 1
    ) AS newest ON true
"""
FIND = text(f"""
    WITH named AS MATERIALIZED (
        SELECT claim.loan_id FROM (
            SELECT delivery_id, loan_id FROM delivery_loans WHERE library = :library AND loan_id = :loan_id AND live
            UNION ALL
            SELECT delivery_id, loan_id FROM delivery_loans WHERE library = :library AND loan_id = :loan_id AND NOT live
        ) AS claim JOIN deliveries delivery USING (delivery_id) JOIN runs run ON run.run_id = delivery.run_id
        WHERE :loan_id <> '' AND NOT run.dry_run
        UNION
        SELECT seen.loan_id FROM runs run CROSS JOIN LATERAL (
            SELECT loan_id FROM loans_seen WHERE run_id = run.run_id AND loan_id = :loan_id
            UNION ALL SELECT loan_id FROM skips WHERE run_id = run.run_id AND loan_id = :loan_id
        ) AS seen
        WHERE :loan_id <> '' AND run.library = :library AND NOT run.dry_run
        UNION
        SELECT seen.loan_id FROM loans_seen seen JOIN runs run USING (run_id)
        WHERE :item_barcode <> '' AND seen.library = :library AND seen.record ->> 'item_barcode' = :item_barcode
          AND NOT run.dry_run
        UNION
        SELECT claim.loan_id FROM letters letter JOIN delivery_loans claim USING (delivery_id)
        WHERE :reference <> '' AND letter.library = :library AND letter.reference = upper(:reference)
        UNION
        SELECT claim.loan_id FROM registered_letters letter JOIN delivery_loans claim USING (delivery_id)
        WHERE :tracking_number <> '' AND letter.library = :library
          AND letter.tracking_number = upper(:tracking_number)
    )
    SELECT named.loan_id, newest.record FROM named {_NEWEST}
    ORDER BY newest.run_id DESC NULLS LAST, named.loan_id
    LIMIT :limit
""")  # noqa: S608 - the piece is this module's own
CYCLES = text("""
    SELECT seen.loan_id, seen.due_date, (array_agg(seen.record ORDER BY run.run_id DESC))[1] AS record,
           min(run.today) AS first_seen, max(run.today) AS last_seen
    FROM loans_seen seen JOIN runs run USING (run_id)
    WHERE seen.library = :library AND seen.loan_id = ANY(CAST(:loan_ids AS text[])) AND NOT run.dry_run
    GROUP BY seen.loan_id, seen.due_date ORDER BY seen.due_date
""")
# A row that could not be read may say nothing of its reader: the skips of one loan are looked for run by run, which
# their index serves; those of several loans by the readers who had them.
SKIPS = text("""
    SELECT skip.loan_id, run.today, run.stage, skip.due_date, skip.slot, skip.reason, skip.detail
    FROM runs run CROSS JOIN LATERAL (
        SELECT * FROM skips WHERE run_id = run.run_id AND loan_id = ANY(CAST(:loan_ids AS text[])) OFFSET 0
    ) AS skip
    WHERE run.library = :library AND NOT run.dry_run
    ORDER BY run.today, skip.skip_id
""")
SKIPS_OF_READERS = text("""
    SELECT skip.loan_id, run.today, run.stage, skip.due_date, skip.slot, skip.reason, skip.detail
    FROM skips skip JOIN runs run USING (run_id)
    WHERE skip.library = :library AND skip.patron_id = ANY(CAST(:patron_ids AS text[]))
      AND skip.loan_id = ANY(CAST(:loan_ids AS text[])) AND NOT run.dry_run
    ORDER BY run.today, skip.skip_id
""")
DELIVERIES = text("""
    SELECT delivery.*, claim.loan_id, claim.due_date, claim.dropped, run.today,
           coalesce((SELECT who FROM resends WHERE delivery_id = delivery.delivery_id), '') AS resent_by,
           (SELECT count(*) FROM delivery_loans WHERE delivery_id = delivery.delivery_id) AS documents
    FROM (
        SELECT delivery_id, loan_id, due_date, dropped FROM delivery_loans
        WHERE library = :library AND loan_id = ANY(CAST(:loan_ids AS text[])) AND live
        UNION ALL
        SELECT delivery_id, loan_id, due_date, dropped FROM delivery_loans
        WHERE library = :library AND loan_id = ANY(CAST(:loan_ids AS text[])) AND NOT live
    ) AS claim
    JOIN deliveries delivery USING (delivery_id) JOIN runs run USING (run_id)
    WHERE NOT run.dry_run
    ORDER BY run.today, run.run_id, delivery.channel, delivery.delivery_id
""")
ANSWERS = text("""
    SELECT delivery_id, at, state, reason, provider_id, raw, applied FROM receipts
    WHERE library = :library AND delivery_id = ANY(CAST(:delivery_id AS uuid[])) ORDER BY receipt_id
""")
BOUNCES = text("""
    SELECT delivery_id, coalesce(received_at, at) AS moment, kind, recipient, status, diagnostic FROM mail_bounces
    WHERE library = :library AND delivery_id = ANY(CAST(:delivery_id AS uuid[])) ORDER BY bounce_id
""")
LETTERS = text("""
    SELECT letter.delivery_id, letter.batch_id, letter.reference, letter.volume, letter.first_page, letter.last_page,
           letter.left_out, batch.name, batch.state, batch.pdf, batch.more_pdfs, batch.printed_at, batch.printed_by
    FROM letters letter JOIN letter_batches batch USING (batch_id)
    WHERE letter.library = :library AND letter.delivery_id = ANY(CAST(:delivery_id AS uuid[]))
""")
REGISTERED = text("""
    SELECT * FROM registered_letters
    WHERE library = :library AND delivery_id = ANY(CAST(:delivery_id AS uuid[]))
""")
# What was done to a whole batch was done to each of its letters.
STEPS = text("""
    SELECT event_id, delivery_id, at, who, act, detail, before, after, false AS whole_batch FROM letter_events
    WHERE library = :library AND delivery_id = ANY(CAST(:delivery_id AS uuid[]))
    UNION ALL
    SELECT event.event_id, letter.delivery_id, event.at, event.who, event.act, event.detail, event.before, event.after,
           true
    FROM letters letter JOIN letter_events event ON event.batch_id = letter.batch_id AND event.delivery_id IS NULL
    WHERE letter.library = :library AND letter.delivery_id = ANY(CAST(:delivery_id AS uuid[]))
    ORDER BY event_id
""")
REPLIES = text(f"""
    SELECT reply_number, phone_number, text, coalesce({dated("received_at", "at")}, at) AS since, to_read, read_at,
           read_by
    FROM sms_replies reply
    WHERE library = :library AND left(phone_number, 40) = ANY(CAST(:numbers AS text[])) AND (
        EXISTS (
            SELECT FROM readers WHERE library = :library AND mobile = reply.phone_number AND mobile <> ''
              AND patron_id = ANY(CAST(:patron_ids AS text[])) OFFSET 0
        ) OR NOT EXISTS (
            SELECT FROM readers WHERE library = :library AND mobile = reply.phone_number AND mobile <> '' OFFSET 0
        )
    )
    ORDER BY reply_number
""")  # noqa: S608 - the piece is this package's own
SUPPRESSIONS = text(f"""
    SELECT * FROM suppressions
    WHERE library = :library AND channel = ANY(ARRAY[{_CHANNELS}])
      AND recipient = ANY(CAST(:recipients AS text[]))
    ORDER BY since, suppression_id
""")  # noqa: S608 - the piece is this module's own
