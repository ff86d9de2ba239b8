-- The view that sql/view/loans_due.sql reads, for MariaDB and MySQL 8: run it once, as the owner of the tables.
-- What stands between AS and the comma is the contract and stays; what stands before it, and all from FROM on, is an
-- example: site_loans, site_readers and site_items stand for the tables of your system.
--  * one row per open loan; of several addresses, cards or records of a loan, one
--  * loan_key stays the same while the loan is open, renewals included, and two open loans never share one
--  * no lost item, nothing returned; a loan whose reader or item is gone stays (LEFT JOIN)
--  * birth_date and sms_consent are two further columns, each where [sms.consent] of library.toml asks for it
--  * dates are local wall time; codes and prices are text, ids text or whole numbers
-- An index on the due date serves loans_due.sql, one on the loan's key loan_now.sql: leave both columns as they are.
CREATE VIEW reminders_loans AS
SELECT l.loan_id                    AS loan_key,
       l.lent_on                    AS loan_date,
       l.due_on                     AS due_date,
       l.renewals                   AS renewal_count,
       l.reader_id                  AS patron_id,
       r.card                       AS patron_barcode,
       l.reader_category            AS patron_status,
       r.kind                       AS patron_type,
       r.last_name                  AS last_name,
       r.first_name                 AS first_name,
       CAST(NULL AS CHAR(200))      AS full_name,
       r.lang                       AS language,
       r.email                      AS email,
       r.sms                        AS phone_sms,
       r.phone_1                    AS phone_1,
       r.phone_2                    AS phone_2,
       r.phone_3                    AS phone_3,
       r.phone_4                    AS phone_4,
       r.line_1                     AS address_1,
       r.line_2                     AS address_2,
       r.line_3                     AS address_3,
       r.line_4                     AS address_4,
       r.postcode                   AS postcode,
       CAST(NULL AS CHAR(100))      AS city,
       CAST(NULL AS CHAR(100))      AS country,
       i.title                      AS title,
       i.author                     AS author,
       i.call_number                AS call_number,
       i.volume                     AS volume,
       i.barcode                    AS item_barcode,
       l.branch                     AS branch,
       i.status                     AS item_status,
       CAST(i.price AS CHAR(30))    AS price_text
  FROM site_loans l
  LEFT JOIN site_readers r ON r.reader_id = l.reader_id
  LEFT JOIN site_items i ON i.item_id = l.item_id
 WHERE l.returned_on IS NULL
   AND l.state = 'on loan';

-- An account of its own that sees this view and nothing else.
-- CREATE USER 'reminders'@'airflow.example.org' IDENTIFIED BY '…' REQUIRE SSL;
-- GRANT SELECT ON ils.reminders_loans TO 'reminders'@'airflow.example.org';
