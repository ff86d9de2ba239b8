-- Open loans of one due date, one row per loan, for Aleph 500.
-- Columns, rights and rules of this dialect are in sql/README.md. The same text runs on Oracle and on SQLite.
-- Dates stay numbers and keys are trimmed on both sides, so that one bad record cannot stop the others.
SELECT z36.z36_rec_key                          AS loan_key,
       z36.z36_number                           AS loan_number,
       z36.z36_loan_date                        AS loan_date,
       z36.z36_due_date                         AS due_date,
       COALESCE(z36.z36_no_renewal, 0)          AS renewal_count,
       TRIM(z36.z36_id)                         AS patron_id,
       TRIM(SUBSTR(card.card_key, 3))           AS patron_barcode,
       TRIM(z36.z36_bor_status)                 AS patron_status,
       TRIM(rights.bor_type)                    AS patron_type,
       TRIM(z303.z303_last_name)                AS last_name,
       TRIM(z303.z303_first_name)               AS first_name,
       TRIM(z303.z303_name)                     AS full_name,
       TRIM(z303.z303_con_lng)                  AS language,
       TRIM(mail.email_address)                 AS email,
       TRIM(home.sms_number)                    AS phone_sms,
       TRIM(home.telephone_1)                   AS phone_1,
       TRIM(home.telephone_2)                   AS phone_2,
       TRIM(home.telephone_3)                   AS phone_3,
       TRIM(home.telephone_4)                   AS phone_4,
       TRIM(SUBSTR(home.address, 201, 200))     AS address_1,
       TRIM(SUBSTR(home.address, 401, 200))     AS address_2,
       TRIM(SUBSTR(home.address, 601, 200))     AS address_3,
       TRIM(SUBSTR(home.address, 801, 200))     AS address_4,
       TRIM(home.zip)                           AS postcode,
       CAST(NULL AS VARCHAR(100))               AS city,
       CAST(NULL AS VARCHAR(100))               AS country,
       TRIM(z13.z13_title)                      AS title,
       TRIM(z13.z13_author)                     AS author,
       TRIM(z30.z30_call_no)                    AS call_number,
       TRIM(z30.z30_description)                AS volume,
       TRIM(z30.z30_barcode)                    AS item_barcode,
       TRIM(z36.z36_sub_library)                AS branch,
       TRIM(z36.z36_item_status)                AS item_status,
       TRIM(z30.z30_price)                      AS price_text
  FROM z36
  -- the item; a loan outlives an item deleted by mistake
  LEFT JOIN z30
         ON z30.z30_rec_key = z36.z36_rec_key
  -- the bibliographic record; of several volumes bound together, the first
  LEFT JOIN (SELECT SUBSTR(z103.z103_rec_key, 6, 9)    AS item_document,
                    SUBSTR(z103.z103_rec_key_1, 6, 9)  AS bib_document,
                    ROW_NUMBER() OVER (PARTITION BY SUBSTR(z103.z103_rec_key, 6, 9)
                                       ORDER BY z103.z103_rec_key_1, z103.z103_rec_key) AS place
               FROM z103
              WHERE TRIM(SUBSTR(z103.z103_rec_key, 1, 5)) = :adm_library
                AND TRIM(SUBSTR(z103.z103_rec_key_1, 1, 5)) = :bib_library) bib_link
         ON bib_link.item_document = SUBSTR(z36.z36_rec_key, 1, 9)
        AND bib_link.place = 1
  LEFT JOIN z13
         ON z13.z13_rec_key = bib_link.bib_document
  -- the reader
  LEFT JOIN z303
         ON z303.z303_rec_key = z36.z36_id
  LEFT JOIN (SELECT TRIM(SUBSTR(z305.z305_rec_key, 1, 12))  AS patron_key,
                    z305.z305_bor_type                      AS bor_type,
                    ROW_NUMBER() OVER (PARTITION BY TRIM(SUBSTR(z305.z305_rec_key, 1, 12))
                                       ORDER BY z305.z305_rec_key) AS place
               FROM z305
              WHERE TRIM(SUBSTR(z305.z305_rec_key, 13, 5)) = :bor_library) rights
         ON rights.patron_key = TRIM(z36.z36_id)
        AND rights.place = 1
  -- the postal address and telephones valid today; the mailing address before the permanent one
  LEFT JOIN (SELECT TRIM(SUBSTR(z304.z304_rec_key, 1, 12))  AS patron_key,
                    z304.z304_sms_number                    AS sms_number,
                    z304.z304_telephone                     AS telephone_1,
                    z304.z304_telephone_2                   AS telephone_2,
                    z304.z304_telephone_3                   AS telephone_3,
                    z304.z304_telephone_4                   AS telephone_4,
                    z304.z304_address                       AS address,
                    z304.z304_zip                           AS zip,
                    ROW_NUMBER() OVER (PARTITION BY TRIM(SUBSTR(z304.z304_rec_key, 1, 12))
                                       ORDER BY CASE z304.z304_address_type
                                                     WHEN 2 THEN 1 WHEN 1 THEN 2 ELSE 3 END,
                                                z304.z304_rec_key) AS place
               FROM z304
              WHERE COALESCE(z304.z304_date_from, 0) <= :today_ymd
                AND (COALESCE(z304.z304_date_to, 0) = 0 OR z304.z304_date_to >= :today_ymd)) home
         ON home.patron_key = TRIM(z36.z36_id)
        AND home.place = 1
  -- the e-mail address, which another of the reader's addresses may hold
  LEFT JOIN (SELECT TRIM(SUBSTR(z304.z304_rec_key, 1, 12))  AS patron_key,
                    z304.z304_email_address                 AS email_address,
                    ROW_NUMBER() OVER (PARTITION BY TRIM(SUBSTR(z304.z304_rec_key, 1, 12))
                                       ORDER BY CASE z304.z304_address_type
                                                     WHEN 2 THEN 1 WHEN 1 THEN 2 ELSE 3 END,
                                                z304.z304_rec_key) AS place
               FROM z304
              WHERE LENGTH(TRIM(z304.z304_email_address)) > 0
                AND COALESCE(z304.z304_date_from, 0) <= :today_ymd
                AND (COALESCE(z304.z304_date_to, 0) = 0 OR z304.z304_date_to >= :today_ymd)) mail
         ON mail.patron_key = TRIM(z36.z36_id)
        AND mail.place = 1
  -- the barcode of the reader's card
  LEFT JOIN (SELECT TRIM(z308.z308_id)   AS patron_key,
                    z308.z308_rec_key    AS card_key,
                    ROW_NUMBER() OVER (PARTITION BY TRIM(z308.z308_id)
                                       ORDER BY z308.z308_rec_key) AS place
               FROM z308
              WHERE SUBSTR(z308.z308_rec_key, 1, 2) = '01'
                AND TRIM(z308.z308_status) = 'AC') card
         ON card.patron_key = TRIM(z36.z36_id)
        AND card.place = 1
 WHERE z36.z36_due_date = :due_ymd
   AND TRIM(z36.z36_status) = 'A'
   AND COALESCE(z36.z36_returned_date, 0) = 0
 ORDER BY z36.z36_rec_key, z36.z36_number
