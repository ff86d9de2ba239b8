-- Open loans of one due date, one row per loan, for Aleph 500.
-- Columns, rights and rules of this dialect are in sql/README.md. The same text runs on Oracle and on SQLite.
-- What differs from site to site is in library.toml, [ils.aleph]: nobody edits this file. A piece in braces has
-- several forms, each with a name: the first is in force here, the settings may choose another.
-- Dates stay numbers and keys are made whole, so that one bad record cannot stop the others.
-- Every table is reached by its key: the day's loans by their due date, all others from there.
SELECT loan.rec_key                                                      AS loan_key,
       loan.loan_number                                                  AS loan_number,
       loan.loan_date                                                    AS loan_date,
       loan.due_date                                                     AS due_date,
       loan.renewal_count                                                AS renewal_count,
       TRIM(loan.patron_key)                                             AS patron_id,
       TRIM(SUBSTR(loan.card_key, 3))                                    AS patron_barcode,
       TRIM(loan.bor_status)                                             AS patron_status,
       TRIM(z305.z305_bor_type)                                          AS patron_type,
       TRIM(z303.z303_last_name)                                         AS last_name,
       TRIM(z303.z303_first_name)                                        AS first_name,
       TRIM(z303.z303_name)                                              AS full_name,
       TRIM(z303.z303_con_lng)                                           AS language,
       TRIM(mail.z304_email_address)                                     AS email,
       /*{sms_number:present*/ TRIM(phone.z304_sms_number) /*|absent: CAST(NULL AS VARCHAR(30)) }*/ AS phone_sms,
       TRIM(phone.z304_telephone)                                        AS phone_1,
       TRIM(phone.z304_telephone_2)                                      AS phone_2,
       TRIM(phone.z304_telephone_3)                                      AS phone_3,
       TRIM(phone.z304_telephone_4)                                      AS phone_4,
       -- an address is five lines of one width, 200 or 50, the first the name
       TRIM(SUBSTR(home.z304_address, 1 + :address_width, :address_width))      AS address_1,
       TRIM(SUBSTR(home.z304_address, 1 + 2 * :address_width, :address_width))  AS address_2,
       TRIM(SUBSTR(home.z304_address, 1 + 3 * :address_width, :address_width))  AS address_3,
       TRIM(SUBSTR(home.z304_address, 1 + 4 * :address_width, :address_width))  AS address_4,
       TRIM(home.z304_zip)                                               AS postcode,
       CAST(NULL AS VARCHAR(100))                                        AS city,
       CAST(NULL AS VARCHAR(100))                                        AS country,
       TRIM(z13.z13_title)                                               AS title,
       TRIM(z13.z13_author)                                              AS author,
       TRIM(z30.z30_call_no)                                             AS call_number,
       TRIM(z30.z30_description)                                         AS volume,
       TRIM(z30.z30_barcode)                                             AS item_barcode,
       TRIM(loan.sub_library)                                            AS branch,
       TRIM(loan.item_status)                                            AS item_status,
       TRIM(z30.z30_price)                                               AS price_text
       -- only where [sms.consent] has a rule for minors
       /*{birth_date:unasked*/ /*|asked: , z303.z303_birth_date AS birth_date }*/
  FROM (SELECT due.rec_key,
               due.loan_number,
               due.loan_date,
               due.due_date,
               due.renewal_count,
               due.patron_key,
               due.bor_status,
               due.sub_library,
               due.item_status,
               -- the first bibliographic record, of several volumes bound together
               (SELECT MIN(z103.z103_rec_key_1)
                  FROM z103
                 WHERE z103.z103_rec_key BETWEEN due.adm_key AND due.adm_key || '9999'
                   AND TRIM(SUBSTR(z103.z103_rec_key_1, 1, 5)) = :bib_library) AS bib_key,
               -- the postal address valid today whose type comes first in the list of the settings; its rank stands in front.
               -- A record without a line or a postcode, kept for its e-mail address or telephones, hides no other
               (SELECT MIN(CASE z304.z304_address_type
                                WHEN :address_type_1 THEN '1' WHEN :address_type_2 THEN '2'
                                WHEN :address_type_3 THEN '3' WHEN :address_type_4 THEN '4' ELSE '5' END
                           || z304.z304_rec_key)
                  FROM z304
                 WHERE z304.z304_rec_key BETWEEN due.patron_key AND due.patron_key || '99'
                   AND (LENGTH(TRIM(SUBSTR(z304.z304_address, 1 + :address_width, 4 * :address_width))) > 0
                        OR LENGTH(TRIM(z304.z304_zip)) > 0)
                   AND COALESCE(z304.z304_date_from, 0) <= :today_ymd
                   AND (COALESCE(z304.z304_date_to, 0) = 0 OR z304.z304_date_to >= :today_ymd)
                   AND (:other_address_types = 1 OR z304.z304_address_type IN
                        (:address_type_1, :address_type_2, :address_type_3, :address_type_4))) AS home_key,
               -- the same among those with an e-mail address
               (SELECT MIN(CASE z304.z304_address_type
                                WHEN :address_type_1 THEN '1' WHEN :address_type_2 THEN '2'
                                WHEN :address_type_3 THEN '3' WHEN :address_type_4 THEN '4' ELSE '5' END
                           || z304.z304_rec_key)
                  FROM z304
                 WHERE z304.z304_rec_key BETWEEN due.patron_key AND due.patron_key || '99'
                   AND LENGTH(TRIM(z304.z304_email_address)) > 0
                   AND COALESCE(z304.z304_date_from, 0) <= :today_ymd
                   AND (COALESCE(z304.z304_date_to, 0) = 0 OR z304.z304_date_to >= :today_ymd)
                   AND (:other_address_types = 1 OR z304.z304_address_type IN
                        (:address_type_1, :address_type_2, :address_type_3, :address_type_4))) AS mail_key,
               -- the same among those with a telephone; those with a number for SMS before all others
               (SELECT MIN(/*{sms_number:present*/ CASE WHEN LENGTH(TRIM(z304.z304_sms_number)) > 0 THEN '1' ELSE '2' END
                           /*|absent: '2' }*/
                           || CASE z304.z304_address_type
                                WHEN :address_type_1 THEN '1' WHEN :address_type_2 THEN '2'
                                WHEN :address_type_3 THEN '3' WHEN :address_type_4 THEN '4' ELSE '5' END
                           || z304.z304_rec_key)
                  FROM z304
                 WHERE z304.z304_rec_key BETWEEN due.patron_key AND due.patron_key || '99'
                   AND (LENGTH(TRIM(z304.z304_telephone)) > 0 OR LENGTH(TRIM(z304.z304_telephone_2)) > 0
                        OR LENGTH(TRIM(z304.z304_telephone_3)) > 0 OR LENGTH(TRIM(z304.z304_telephone_4)) > 0
                        /*{sms_number:present*/ OR LENGTH(TRIM(z304.z304_sms_number)) > 0 /*|absent: OR 1 = 0 }*/)
                   AND COALESCE(z304.z304_date_from, 0) <= :today_ymd
                   AND (COALESCE(z304.z304_date_to, 0) = 0 OR z304.z304_date_to >= :today_ymd)
                   AND (:other_address_types = 1 OR z304.z304_address_type IN
                        (:address_type_1, :address_type_2, :address_type_3, :address_type_4))) AS phone_key,
               -- the barcode of the reader's card
               (SELECT MIN(z308.z308_rec_key)
                  FROM z308
                 WHERE z308.z308_id = due.patron_key
                   AND SUBSTR(z308.z308_rec_key, 1, 2) = :card_type
                   AND TRIM(z308.z308_status) = :card_status) AS card_key
          FROM (SELECT z36.z36_rec_key                            AS rec_key,
                       z36.z36_number                             AS loan_number,
                       z36.z36_loan_date                          AS loan_date,
                       /*{due_date:Z36_DUE_DATE*/ z36.z36_due_date
                       /*|Z36_EFFECTIVE_DUE_DATE: z36.z36_effective_due_date }*/ AS due_date,
                       COALESCE(z36.z36_no_renewal, 0)            AS renewal_count,
                       z36.z36_bor_status                         AS bor_status,
                       z36.z36_sub_library                        AS sub_library,
                       z36.z36_item_status                        AS item_status,
                       -- twelve characters and five, whatever cut their blanks
                       SUBSTR(z36.z36_id || '            ', 1, 12)  AS patron_key,
                       SUBSTR(:adm_library || '     ', 1, 5) || SUBSTR(z36.z36_rec_key, 1, 9) AS adm_key
                  FROM z36
                 WHERE /*{due_date:Z36_DUE_DATE*/ z36.z36_due_date
                       /*|Z36_EFFECTIVE_DUE_DATE: z36.z36_effective_due_date }*/ = :due_ymd
                   AND TRIM(z36.z36_status) IN (:loan_status_1, :loan_status_2, :loan_status_3, :loan_status_4)
                   AND COALESCE(z36.z36_returned_date, 0) = 0) due) loan
  -- the item; a loan outlives an item deleted by mistake
  LEFT JOIN z30
         ON z30.z30_rec_key = loan.rec_key
  LEFT JOIN z13
         ON z13.z13_rec_key = SUBSTR(loan.bib_key, 6, 9)
  -- the reader, and the rights in the library of the settings
  LEFT JOIN z303
         ON z303.z303_rec_key = loan.patron_key
  LEFT JOIN z305
         ON z305.z305_rec_key = loan.patron_key || SUBSTR(:bor_library || '     ', 1, 5)
  LEFT JOIN z304 home
         ON home.z304_rec_key = SUBSTR(loan.home_key, 2)
  LEFT JOIN z304 mail
         ON mail.z304_rec_key = SUBSTR(loan.mail_key, 2)
  LEFT JOIN z304 phone
         ON phone.z304_rec_key = SUBSTR(loan.phone_key, 3)
 ORDER BY loan.rec_key, loan.loan_number
