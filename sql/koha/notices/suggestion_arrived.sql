-- Purchase suggestions whose document has arrived, one row per suggestion, for Koha 23.05 to 25.05 on MariaDB or MySQL 8.
-- Columns and rules are in sql/README.md, Other notices. Read in Koha's own installer (kohastructure.sql): every column of
-- suggestions, and aqorders.datereceived. Known by hearsay only: what is marked (?). Never run on a library's Koha.
-- The day is that of the first receipt of its record since it was suggested (a copy may have come long before): unlike the suggestion's own dates it does not move when somebody edits
-- the suggestion later. Suggestions that were never ordered in Koha are not told of.
-- Koha tells of this by itself too (its notice AVAILABLE): switch that off, or readers hear of it twice.
SELECT s.suggestionid                                   AS notice_key,
       s.received_on                                    AS notice_date,
       s.suggestedby                                    AS patron_id,
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
       COALESCE(t.title, s.title)                       AS title,
       COALESCE(t.author, s.author)                     AS author,
       NULL                                             AS call_number,
       s.volumedesc                                     AS volume,
       NULL                                             AS item_barcode,
       s.branchcode                                     AS branch
       -- only where [sms.consent] has a rule for minors
       /*{birth_date:unasked*/ /*|asked: , b.dateofbirth AS birth_date }*/
  FROM (SELECT g.suggestionid,
               g.suggestedby,
               g.title,
               g.author,
               g.volumedesc,
               g.branchcode,
               g.biblionumber,
               (SELECT MIN(o.datereceived)
                  FROM aqorders o
                 WHERE o.biblionumber = g.biblionumber
                   AND o.datereceived >= g.suggesteddate) AS received_on
          FROM suggestions g
         -- Koha sets it when the order is received (?)
         WHERE g.STATUS = 'AVAILABLE') s
  LEFT JOIN borrowers b
         ON b.borrowernumber = s.suggestedby
  LEFT JOIN biblio t
         ON t.biblionumber = s.biblionumber
 WHERE s.received_on >= :due_from
   AND s.received_on < :due_to
   AND s.suggestedby > 0
   AND COALESCE(b.categorycode, '-') NOT IN (:left_out_1, :left_out_2, :left_out_3, :left_out_4,
                                             :left_out_5, :left_out_6, :left_out_7, :left_out_8)
 ORDER BY s.suggestionid
