-- Holds that arrived and wait for their reader, one row per hold, for Aleph 500.
-- Columns and rules are in sql/README.md, Other notices. The same text runs on Oracle and on SQLite. Seen in public scripts
-- and drivers of Aleph sites: z37_rec_key (the item, then a sequence), z37_id, z37_status (S: on the shelf of holds),
-- z37_hold_date (the day it was put there, 0 before), z37_pickup_location. Never run on a library's Aleph.
-- Aleph tells of this by itself too: switch that off, or readers hear of it twice.
SELECT loan.notice_key                                                   AS notice_key,
       loan.notice_date                                                  AS notice_date,
       TRIM(loan.patron_key)                                             AS patron_id,
       TRIM(SUBSTR(loan.card_key, 3))                                    AS patron_barcode,
       TRIM(z305.z305_bor_status)                                         AS patron_status,
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
       TRIM(z13.z13_title)                                               AS title,
       TRIM(z13.z13_author)                                              AS author,
       TRIM(z30.z30_call_no)                                             AS call_number,
       TRIM(z30.z30_description)                                         AS volume,
       TRIM(z30.z30_barcode)                                             AS item_barcode,
       TRIM(loan.pickup)                                                 AS branch
       -- only where [sms.consent] has a rule for minors
       /*{birth_date:unasked*/ /*|asked: , z303.z303_birth_date AS birth_date }*/
  FROM (SELECT due.notice_key,
               due.notice_date,
               due.item_key,
               due.patron_key,
               due.pickup,
               -- the first bibliographic record, of several volumes bound together
               (SELECT MIN(z103.z103_rec_key_1)
                  FROM z103
                 WHERE z103.z103_rec_key BETWEEN due.adm_key AND due.adm_key || '9999'
                   AND TRIM(SUBSTR(z103.z103_rec_key_1, 1, 5)) = :bib_library) AS bib_key,
               -- the record with an e-mail address, valid today, whose type comes first in the list of the settings; its rank
               -- stands in front
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
          FROM (SELECT TRIM(z37.z37_rec_key)                      AS notice_key,
                       z37.z37_hold_date                          AS notice_date,
                       SUBSTR(z37.z37_rec_key, 1, 15)             AS item_key,
                       z37.z37_pickup_location                    AS pickup,
                       -- twelve characters and five, whatever cut their blanks
                       SUBSTR(z37.z37_id || '            ', 1, 12)  AS patron_key,
                       SUBSTR(:adm_library || '     ', 1, 5) || SUBSTR(z37.z37_rec_key, 1, 9) AS adm_key
                  FROM z37
                 WHERE z37.z37_hold_date >= :from_ymd
                   AND z37.z37_hold_date <= :due_ymd
                   AND TRIM(z37.z37_status) = 'S') due) loan
  LEFT JOIN z30
         ON z30.z30_rec_key = loan.item_key
  LEFT JOIN z13
         ON z13.z13_rec_key = SUBSTR(loan.bib_key, 6, 9)
  LEFT JOIN z303
         ON z303.z303_rec_key = loan.patron_key
  LEFT JOIN z305
         ON z305.z305_rec_key = loan.patron_key || SUBSTR(:bor_library || '     ', 1, 5)
  LEFT JOIN z304 mail
         ON mail.z304_rec_key = SUBSTR(loan.mail_key, 2)
  LEFT JOIN z304 phone
         ON phone.z304_rec_key = SUBSTR(loan.phone_key, 3)
 ORDER BY loan.notice_key
