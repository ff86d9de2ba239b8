-- Holds that arrived and wait for their reader, one row per hold, from a view that the site's database administrator creates, like reminders_loans.
-- The view gives every hold with its day; this text only asks for some days. Columns: sql/README.md, Other notices. The
-- same text runs on Oracle, PostgreSQL and MariaDB.
SELECT request.notice_key      AS notice_key,
       request.notice_date     AS notice_date,
       request.patron_id       AS patron_id,
       request.patron_barcode  AS patron_barcode,
       request.patron_status   AS patron_status,
       request.patron_type     AS patron_type,
       request.last_name       AS last_name,
       request.first_name      AS first_name,
       request.full_name       AS full_name,
       request.language        AS language,
       request.email           AS email,
       request.phone_sms       AS phone_sms,
       request.phone_1         AS phone_1,
       request.phone_2         AS phone_2,
       request.phone_3         AS phone_3,
       request.phone_4         AS phone_4,
       request.title           AS title,
       request.author          AS author,
       request.call_number     AS call_number,
       request.volume          AS volume,
       request.item_barcode    AS item_barcode,
       request.branch          AS branch
       -- each only where [sms.consent] asks for it
       /*{sms_consent:unasked*/ /*|asked: , request.sms_consent AS sms_consent }*/
       /*{birth_date:unasked*/ /*|asked: , request.birth_date AS birth_date }*/
  FROM reminders_holds_arrived request
 WHERE request.notice_date >= :due_from
   AND request.notice_date < :due_to
 ORDER BY request.notice_key
