-- Three years of a library. %(library)s, %(until)s, %(cycles)s, %(readers)s, %(record)s, %(words)s are filled in.
-- Of a hundred loan cycles `reach` get to each stage; 28 get an SMS beside the overdue notice.

CREATE TEMPORARY TABLE stage (number int, name text, days int, reach int);
INSERT INTO stage VALUES
    (0, 'courtesy_notice', -2, 100), (1, 'overdue_notice', 1, 40), (2, 'first_reminder', 8, 15),
    (3, 'second_reminder', 15, 8), (4, 'registered_letter', 21, 3);

INSERT INTO runs (run_id, library, stage, reference_date, due_date, today, dag_run_id, attempt, dry_run, state,
                  rows_read, loans_extracted, deliveries_planned, balanced, started_at, planned_at, closed_at)
OVERRIDING SYSTEM VALUE
SELECT day * 5 + number, %(library)s, name, on_day, on_day - days, on_day, 'scheduled__' || on_day, 1, false, 'closed',
       400, 400, 400, true, at, at, at
FROM stage, generate_series(0, 1095) AS day,
     LATERAL (SELECT CAST(%(until)s AS date) - 1095 + day AS on_day) AS d,
     LATERAL (SELECT CAST(on_day AS timestamp) AT TIME ZONE 'Europe/Paris' + interval '8 hours' AS at) AS t;
SELECT setval(pg_get_serial_sequence('runs', 'run_id'), max(run_id)) FROM runs;

CREATE TEMPORARY TABLE reader AS
SELECT number, 'P' || number AS patron_id, 'lecteur' || number || '@etu.example.org' AS email,
       '336' || lpad(CAST(number AS text), 8, '0') AS mobile,
       CASE WHEN number %% 4 = 0 THEN 'staff' ELSE 'student' END AS category,
       initcap(left(translate(md5('b' || number %% 997), '0123456789', 'aeiouaeiou'), 6)) || ' '
           || initcap(left(translate(md5('a' || number / 7), '0123456789', 'aeiouaeiou'), 9)) AS name
FROM generate_series(1, %(readers)s) AS number;

-- One line for each loan told at each stage: all the other tables are made of it.
CREATE TEMPORARY TABLE told AS
SELECT i, stage.number, stage.name AS stage, reader.number AS reader, patron_id, email, mobile, category,
       reader.name AS reader_name, due, due + days AS on_day, 'L' || i AS loan_id,
       (due + days - (CAST(%(until)s AS date) - 1095)) * 5 + stage.number AS run_id,
       CAST(due + days AS timestamp) AT TIME ZONE 'Europe/Paris' + interval '8 hours' AS at,
       CAST(md5('n' || i || '-' || stage.number) AS uuid) AS notice_id,
       CAST(md5('w' || i || '-' || stage.number) AS uuid) AS written_id,
       CASE WHEN stage.number = 1 AND i %% 100 < 28 THEN CAST(md5('s' || i) AS uuid) END AS sms_id,
       CASE WHEN stage.number = 4 THEN 'registered_letter' WHEN stage.number > 1 AND reader.number %% 7 = 0 THEN 'letter'
            ELSE 'email' END AS channel
FROM generate_series(1, %(cycles)s) AS i
JOIN reader ON reader.number = 1 + i %% %(readers)s
CROSS JOIN LATERAL (SELECT CAST(%(until)s AS date) - 1070 + CAST((CAST(i AS bigint) * 7919) %% 1075 AS int) AS due) AS d
JOIN stage ON i %% 100 < reach AND due + days <= CAST(%(until)s AS date);

INSERT INTO loans_seen (run_id, loan_id, due_date, library, patron_id, seq, record)
SELECT run_id, loan_id, due, %(library)s, patron_id, i,
       CAST(%(record)s AS jsonb) || jsonb_build_object(
           'loan_id', loan_id, 'due_date', due, 'item_barcode', 'C' || i,
           'patron', CAST(%(record)s AS jsonb) -> 'patron' || jsonb_build_object(
               'patron_id', patron_id, 'barcode', '2' || reader, 'name', reader_name, 'category', category,
               'email', jsonb_build_object('value', email), 'mobile', jsonb_build_object('value', mobile)))
FROM told;
INSERT INTO notices (notice_id, library, run_id, stage, patron_id, due_date, language, loan_ids)
SELECT notice_id, %(library)s, run_id, stage, patron_id, due, 'fr', ARRAY[loan_id] FROM told;

-- What the books say is what the first page foretells tomorrow by.
UPDATE runs SET rows_read = loans, loans_extracted = loans, deliveries_planned = loans,
                books = jsonb_build_object('loans_extracted', loans, 'loans_in_notices', loans, 'notices', loans,
                                           'skipped', '{}'::jsonb, 'deliveries', '{}'::jsonb)
FROM (SELECT run_id AS told_by, CAST(count(*) AS int) AS loans FROM told GROUP BY run_id) AS counted
WHERE run_id = told_by;
INSERT INTO sms_credits (library, at, segments)
SELECT %(library)s, started_at, 1000 + run_id %% 9000 FROM runs WHERE stage = 'overdue_notice';

INSERT INTO letter_batches (batch_id, library, run_id, name, kind, state, pdf, csv, letters, pages, sha256, at,
                            printed_at, printed_by)
OVERRIDING SYSTEM VALUE
SELECT run_id, %(library)s, run_id, 'lot-' || run_id,
       CASE stage WHEN 'registered_letter' THEN stage ELSE 'letter' END, 'printed', 'p', 'c', 40, 60, '', started_at,
       started_at, 'zoé'
FROM runs WHERE stage IN ('first_reminder', 'second_reminder', 'registered_letter');
SELECT setval(pg_get_serial_sequence('letter_batches', 'batch_id'), max(batch_id)) FROM letter_batches;

INSERT INTO deliveries (delivery_id, library, run_id, notice_id, stage, channel, slot, recipient, state, reason,
                        attempts, claimed_at, answered_at, batch_id)
SELECT written_id, %(library)s, run_id, notice_id, stage, channel, 'written',
       CASE channel WHEN 'email' THEN email
            ELSE '{"lines": ["LECTEUR", "1 RUE DES LILAS", "34999 MONTCLAR"], "postcode": "34999"}' END,
       CASE WHEN channel = 'email' AND reader %% 97 = 0 THEN 'bounced' ELSE 'accepted' END,
       CASE WHEN channel = 'email' AND reader %% 97 = 0 THEN 'dead_address' END,
       1, at, at, CASE WHEN channel <> 'email' THEN run_id END
FROM told;
INSERT INTO deliveries (delivery_id, library, run_id, notice_id, stage, channel, slot, recipient, state, attempts,
                        claimed_at, answered_at, provider_id, segments, cost)
SELECT sms_id, %(library)s, run_id, notice_id, stage, 'sms', 'sms', mobile, 'delivered', 1, at, at, 'sms-' || i, 1, 0.05
FROM told WHERE sms_id IS NOT NULL;
INSERT INTO delivery_loans (delivery_id, loan_id, due_date, library, stage, slot, live)
SELECT written_id, loan_id, due, %(library)s, stage, 'written', NOT (channel = 'email' AND reader %% 97 = 0) FROM told
UNION ALL SELECT sms_id, loan_id, due, %(library)s, stage, 'sms', true FROM told WHERE sms_id IS NOT NULL;
INSERT INTO skips (library, run_id, loan_id, due_date, patron_id, slot, reason)
SELECT %(library)s, run_id, loan_id, due, patron_id, 'sms', 'not_eligible' FROM told WHERE number = 1 AND sms_id IS NULL;
INSERT INTO receipts (library, delivery_id, at, state, applied)
SELECT library, delivery_id, answered_at, 'accepted', true FROM deliveries;
INSERT INTO sent_words (delivery_id, library, at, subject, body)
SELECT delivery_id, library, claimed_at, 'Documents à rendre', CAST(%(words)s AS bytea) FROM deliveries;

INSERT INTO letters (delivery_id, library, batch_id, position, first_page, last_page, reference)
SELECT written_id, %(library)s, run_id, i, 1, 1, 'REF-' || i || '-' || number FROM told WHERE channel <> 'email';
INSERT INTO registered_letters (delivery_id, library, state, tracking_number, posted_on, acknowledged_on)
SELECT written_id, %(library)s, 'acknowledged', '1B' || lpad(CAST(i AS text), 11, '0'), on_day + 1, on_day + 4
FROM told WHERE number = 4;

INSERT INTO suppressions (library, channel, recipient, reason, source, since)
SELECT %(library)s, 'email', email, 'hard_bounce', 'bounces', now() - interval '1 day' * (number %% 900)
FROM reader WHERE number %% 97 = 0
UNION ALL
SELECT %(library)s, 'sms', mobile, 'stop', 'reply', now() - interval '1 day' * (number %% 900)
FROM reader WHERE number %% 89 = 0;
INSERT INTO journal (library, at, who, act, patron_id)
SELECT %(library)s, now() - i * interval '2 minutes', CASE i %% 2 WHEN 0 THEN 'zoé' ELSE 'karim' END, 'reader_seen',
       'P' || 1 + i %% 5000
FROM generate_series(1, 200000) AS i;
