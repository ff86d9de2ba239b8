-- Holds that arrived and wait for their reader, one row per hold, for Koha 23.05 to 25.05 on MariaDB or MySQL 8.
-- Columns and rules are in sql/README.md, Other notices. Read in Koha's own installer (kohastructure.sql, a development
-- state of 23.05): every column below. Known by hearsay only: what is marked (?). Never run on a library's Koha.
-- Koha tells of this by itself too (its notice HOLD): switch that off, or readers hear of it twice.
SELECT h.reserve_id                                     AS notice_key,
       -- the day on which the item was put on the shelf of holds
       h.waitingdate                                    AS notice_date,
       h.borrowernumber                                 AS patron_id,
       b.cardnumber                                     AS patron_barcode,
       b.categorycode                                   AS patron_status,
       CASE :second_code WHEN 'sort2' THEN b.sort2 ELSE b.sort1 END AS patron_type,
       b.surname                                        AS last_name,
       b.firstname                                      AS first_name,
       -- an organisation has its whole name there
       b.surname                                        AS full_name,
       b.lang                                           AS language,
       -- in the order of Koha's preference EmailFieldPrimary or EmailFieldPrecedence, which no table tells plainly
       CASE WHEN :email_1 = 'email'    AND LENGTH(TRIM(b.email)) > 0    THEN b.email
            WHEN :email_1 = 'emailpro' AND LENGTH(TRIM(b.emailpro)) > 0 THEN b.emailpro
            WHEN :email_1 = 'B_email'  AND LENGTH(TRIM(b.B_email)) > 0  THEN b.B_email
            WHEN :email_2 = 'email'    AND LENGTH(TRIM(b.email)) > 0    THEN b.email
            WHEN :email_2 = 'emailpro' AND LENGTH(TRIM(b.emailpro)) > 0 THEN b.emailpro
            WHEN :email_2 = 'B_email'  AND LENGTH(TRIM(b.B_email)) > 0  THEN b.B_email
            WHEN :email_3 = 'email'    AND LENGTH(TRIM(b.email)) > 0    THEN b.email
            WHEN :email_3 = 'emailpro' AND LENGTH(TRIM(b.emailpro)) > 0 THEN b.emailpro
            WHEN :email_3 = 'B_email'  AND LENGTH(TRIM(b.B_email)) > 0  THEN b.B_email
       END                                              AS email,
       b.smsalertnumber                                 AS phone_sms,
       b.mobile                                         AS phone_1,
       b.phone                                          AS phone_2,
       b.phonepro                                       AS phone_3,
       b.B_phone                                        AS phone_4,
       t.title                                          AS title,
       t.author                                         AS author,
       it.itemcallnumber                                AS call_number,
       it.enumchron                                     AS volume,
       it.barcode                                       AS item_barcode,
       -- where the reader collects it
       h.branchcode                                     AS branch
       -- only where [sms.consent] has a rule for minors
       /*{birth_date:unasked*/ /*|asked: , b.dateofbirth AS birth_date }*/
  FROM reserves h
  LEFT JOIN borrowers b
         ON b.borrowernumber = h.borrowernumber
  LEFT JOIN items it
         ON it.itemnumber = h.itemnumber
  LEFT JOIN biblio t
         ON t.biblionumber = h.biblionumber
 WHERE h.waitingdate >= :due_from
   AND h.waitingdate < :due_to
   -- W: waiting. What was collected or cancelled is moved to old_reserves (?)
   AND h.found = 'W'
   AND COALESCE(b.categorycode, '-') NOT IN (:left_out_1, :left_out_2, :left_out_3, :left_out_4,
                                             :left_out_5, :left_out_6, :left_out_7, :left_out_8)
 ORDER BY h.reserve_id
