-- Open loans of one due date, one row per loan, for Voyager (Ex Libris) on Oracle.
-- Columns, rights and rules of this dialect are in sql/README.md. The same text runs on Oracle and on SQLite.
-- Seen in public scripts and drivers of several sites: the tables, their columns and keys, the loan, barcodes, e-mail
-- addresses as addresses of type 3. Marked (?): known by hearsay. Never run on a library's Voyager.
-- What differs from site to site is in library.toml, [ils.voyager]: nobody edits this file. A piece in braces has
-- several forms, each with a name: the first is in force here, the settings may choose another.
-- Every table is reached by its key: the day's loans by their due date, all others from there.
SELECT loan.circ_transaction_id                       AS loan_key,
       -- a renewal keeps the transaction (?), so that its number alone is the loan's
       CAST(NULL AS VARCHAR(1))                       AS loan_number,
       loan.charge_date                               AS loan_date,
       loan.current_due_date                          AS due_date,
       COALESCE(loan.renewal_count, 0)                AS renewal_count,
       loan.patron_id                                 AS patron_id,
       pb.patron_barcode                              AS patron_barcode,
       pg.patron_group_code                           AS patron_status,
       CAST(NULL AS VARCHAR(10))                      AS patron_type,
       p.last_name                                    AS last_name,
       p.first_name                                   AS first_name,
       CAST(NULL AS VARCHAR(100))                     AS full_name,
       -- Voyager keeps none: readers are written to in ils.default_language
       CAST(NULL AS VARCHAR(3))                       AS language,
       mail.address_line1                             AS email,
       /*{sms_number:present*/ p.sms_number /*|absent: CAST(NULL AS VARCHAR(50)) }*/ AS phone_sms,
       -- the kinds of telephone in the order of the settings
       (SELECT MAX(n.phone_number) FROM patron_phone n
         WHERE n.address_id = loan.phone_1_id AND n.phone_type = :phone_type_1) AS phone_1,
       (SELECT MAX(n.phone_number) FROM patron_phone n
         WHERE n.address_id = loan.phone_2_id AND n.phone_type = :phone_type_2) AS phone_2,
       (SELECT MAX(n.phone_number) FROM patron_phone n
         WHERE n.address_id = loan.phone_3_id AND n.phone_type = :phone_type_3) AS phone_3,
       (SELECT MAX(n.phone_number) FROM patron_phone n
         WHERE n.address_id = loan.phone_4_id AND n.phone_type = :phone_type_4) AS phone_4,
       home.address_line1                             AS address_1,
       home.address_line2                             AS address_2,
       home.address_line3                             AS address_3,
       home.address_line4                             AS address_4,
       home.zip_postal                                AS postcode,
       home.city                                      AS city,
       home.country                                   AS country,
       bt.title                                       AS title,
       bt.author                                      AS author,
       mm.display_call_no                             AS call_number,
       (SELECT MIN(x.item_enum) FROM mfhd_item x WHERE x.item_id = loan.item_id) AS volume,
       -- the barcode in use, else any
       COALESCE((SELECT MIN(b.item_barcode) FROM item_barcode b
                  WHERE b.item_id = loan.item_id AND b.barcode_status = :active_status),
                (SELECT MIN(b.item_barcode) FROM item_barcode b WHERE b.item_id = loan.item_id)) AS item_barcode,
       l.location_code                                AS branch,
       it.item_type_code                              AS item_status,
       -- in cents (?)
       CASE WHEN i.price > 0 THEN i.price / 100.0 END AS price_text
       -- only where [sms.consent] has a rule for minors
       /*{birth_date:unasked*/ /*|asked: , p.birth_date AS birth_date }*/
  FROM (SELECT ct.circ_transaction_id,
               ct.item_id,
               ct.patron_id,
               ct.patron_group_id,
               ct.charge_date,
               ct.charge_location,
               ct.current_due_date,
               ct.renewal_count,
               -- the card in use, else any: the youngest
               COALESCE((SELECT MAX(b.patron_barcode_id) FROM patron_barcode b
                          WHERE b.patron_id = ct.patron_id AND b.barcode_status = :active_status),
                        (SELECT MAX(b.patron_barcode_id) FROM patron_barcode b
                          WHERE b.patron_id = ct.patron_id)) AS card_id,
               -- the youngest e-mail address that is valid today
               (SELECT MAX(a.address_id) FROM patron_address a
                 WHERE a.patron_id = ct.patron_id
                   AND a.address_type = :email_type
                   AND LENGTH(TRIM(a.address_line1)) > 0
                   AND (a.effect_date IS NULL OR a.effect_date <= :now_ts)
                   AND (a.expire_date IS NULL OR a.expire_date > :now_ts)) AS mail_id,
               -- the youngest postal address that is valid today, of the first type that has one
               COALESCE((SELECT MAX(a.address_id) FROM patron_address a
                          WHERE a.patron_id = ct.patron_id
                            AND a.address_type = :address_type_1
                            AND (a.effect_date IS NULL OR a.effect_date <= :now_ts)
                            AND (a.expire_date IS NULL OR a.expire_date > :now_ts)),
                        (SELECT MAX(a.address_id) FROM patron_address a
                          WHERE a.patron_id = ct.patron_id
                            AND a.address_type = :address_type_2
                            AND (a.effect_date IS NULL OR a.effect_date <= :now_ts)
                            AND (a.expire_date IS NULL OR a.expire_date > :now_ts)),
                        (SELECT MAX(a.address_id) FROM patron_address a
                          WHERE a.patron_id = ct.patron_id
                            AND a.address_type IN (:address_type_3, :address_type_4)
                            AND (a.effect_date IS NULL OR a.effect_date <= :now_ts)
                            AND (a.expire_date IS NULL OR a.expire_date > :now_ts))) AS home_id,
               -- the youngest address that is valid today, of whichever type, with a telephone of each kind
               (SELECT MAX(a.address_id) FROM patron_address a INNER JOIN patron_phone n ON n.address_id = a.address_id
                 WHERE a.patron_id = ct.patron_id
                   AND n.phone_type = :phone_type_1
                   AND LENGTH(TRIM(n.phone_number)) > 0
                   AND (a.effect_date IS NULL OR a.effect_date <= :now_ts)
                   AND (a.expire_date IS NULL OR a.expire_date > :now_ts)) AS phone_1_id,
               (SELECT MAX(a.address_id) FROM patron_address a INNER JOIN patron_phone n ON n.address_id = a.address_id
                 WHERE a.patron_id = ct.patron_id
                   AND n.phone_type = :phone_type_2
                   AND LENGTH(TRIM(n.phone_number)) > 0
                   AND (a.effect_date IS NULL OR a.effect_date <= :now_ts)
                   AND (a.expire_date IS NULL OR a.expire_date > :now_ts)) AS phone_2_id,
               (SELECT MAX(a.address_id) FROM patron_address a INNER JOIN patron_phone n ON n.address_id = a.address_id
                 WHERE a.patron_id = ct.patron_id
                   AND n.phone_type = :phone_type_3
                   AND LENGTH(TRIM(n.phone_number)) > 0
                   AND (a.effect_date IS NULL OR a.effect_date <= :now_ts)
                   AND (a.expire_date IS NULL OR a.expire_date > :now_ts)) AS phone_3_id,
               (SELECT MAX(a.address_id) FROM patron_address a INNER JOIN patron_phone n ON n.address_id = a.address_id
                 WHERE a.patron_id = ct.patron_id
                   AND n.phone_type = :phone_type_4
                   AND LENGTH(TRIM(n.phone_number)) > 0
                   AND (a.effect_date IS NULL OR a.effect_date <= :now_ts)
                   AND (a.expire_date IS NULL OR a.expire_date > :now_ts)) AS phone_4_id,
               -- the first record and the first holding of the item
               (SELECT MIN(x.bib_id) FROM bib_item x WHERE x.item_id = ct.item_id) AS bib_id,
               (SELECT MIN(x.mfhd_id) FROM mfhd_item x WHERE x.item_id = ct.item_id) AS mfhd_id
          FROM circ_transactions ct
         WHERE ct.current_due_date >= :due_from
           AND ct.current_due_date < :due_to
           AND ct.discharge_date IS NULL
           -- lost items, by the library's word or the system's, and those that the reader says are returned
           AND NOT EXISTS (SELECT 1 FROM item_status s
                            WHERE s.item_id = ct.item_id
                              AND s.item_status IN (:lost_status_1, :lost_status_2,
                                                    :lost_status_3, :lost_status_4))) loan
  -- a loan outlives a reader or an item that was deleted by mistake
  LEFT JOIN patron p
         ON p.patron_id = loan.patron_id
  LEFT JOIN patron_group pg
         ON pg.patron_group_id = loan.patron_group_id
  LEFT JOIN patron_barcode pb
         ON pb.patron_barcode_id = loan.card_id
  LEFT JOIN patron_address mail
         ON mail.address_id = loan.mail_id
  LEFT JOIN patron_address home
         ON home.address_id = loan.home_id
  LEFT JOIN item i
         ON i.item_id = loan.item_id
  LEFT JOIN item_type it
         ON it.item_type_id = i.item_type_id
  LEFT JOIN location l
         ON l.location_id = loan.charge_location
  LEFT JOIN bib_text bt
         ON bt.bib_id = loan.bib_id
  LEFT JOIN mfhd_master mm
         ON mm.mfhd_id = loan.mfhd_id
 ORDER BY loan.circ_transaction_id
