-- Open loans of one due date, one row per loan, from a view that the site's database administrator creates.
-- The same text runs on Oracle, PostgreSQL and MariaDB. create_<engine>.sql beside it is a view to begin with: the
-- columns are the contract of sql/README.md, where dates may be DATE, TIMESTAMP or DATETIME. Here the view answers for
-- what a loan is: this text only asks for a day.
SELECT loan.loan_key                    AS loan_key,
       -- the view's key tells loans apart alone
       NULL                             AS loan_number,
       loan.loan_date                   AS loan_date,
       loan.due_date                    AS due_date,
       COALESCE(loan.renewal_count, 0)  AS renewal_count,
       loan.patron_id                   AS patron_id,
       loan.patron_barcode              AS patron_barcode,
       loan.patron_status               AS patron_status,
       loan.patron_type                 AS patron_type,
       loan.last_name                   AS last_name,
       loan.first_name                  AS first_name,
       loan.full_name                   AS full_name,
       loan.language                    AS language,
       loan.email                       AS email,
       loan.phone_sms                   AS phone_sms,
       loan.phone_1                     AS phone_1,
       loan.phone_2                     AS phone_2,
       loan.phone_3                     AS phone_3,
       loan.phone_4                     AS phone_4,
       loan.address_1                   AS address_1,
       loan.address_2                   AS address_2,
       loan.address_3                   AS address_3,
       loan.address_4                   AS address_4,
       loan.postcode                    AS postcode,
       loan.city                        AS city,
       loan.country                     AS country,
       loan.title                       AS title,
       loan.author                      AS author,
       loan.call_number                 AS call_number,
       loan.volume                      AS volume,
       loan.item_barcode                AS item_barcode,
       loan.branch                      AS branch,
       loan.item_status                 AS item_status,
       loan.price_text                  AS price_text
       -- each only where [sms.consent] asks for it
       /*{sms_consent:unasked*/ /*|asked: , loan.sms_consent AS sms_consent }*/
       /*{birth_date:unasked*/ /*|asked: , loan.birth_date AS birth_date }*/
  FROM reminders_loans loan
 WHERE loan.due_date >= :due_from
   AND loan.due_date < :due_to
 ORDER BY loan.loan_key
