-- Open loans of one due date, one row per loan, for Koha 23.05 to 25.05 on MariaDB or MySQL 8.
-- Columns and rules are in sql/README.md. Read in Koha's own installer (kohastructure.sql, two development states): every
-- table, column, type and key below, and which loans its own script of overdue notices leaves out. Known by hearsay only:
-- what is marked (?). Never run on a library's Koha. Site differences are settings, [ils.koha] of library.toml.
SELECT i.issue_id                                       AS loan_key,
       NULL                                             AS loan_number,
       -- an issue without its date: the last touch, which cannot be before the loan
       COALESCE(i.issuedate, i.timestamp)               AS loan_date,
       -- wall time of the Koha server (?): 23:59 of the due day, or the hour of an hourly loan; no zone is applied
       i.date_due                                       AS due_date,
       COALESCE(i.renewals_count, 0)                    AS renewal_count,
       i.borrowernumber                                 AS patron_id,
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
       -- what Koha itself writes SMS to; `mobile` is labelled "other phone", and often holds one all the same
       b.smsalertnumber                                 AS phone_sms,
       b.mobile                                         AS phone_1,
       b.phone                                          AS phone_2,
       b.phonepro                                       AS phone_3,
       b.B_phone                                        AS phone_4,
       -- the kind of street is a code of the list ROADTYPE (?), else the words themselves
       CASE WHEN home.borrowernumber > 0 THEN CONCAT(
                COALESCE(home.streetnumber, ' '), ' ',
                COALESCE((SELECT MIN(w.lib) FROM authorised_values w
                           WHERE w.category = 'ROADTYPE' AND w.authorised_value = home.streettype),
                         home.streettype, ' '), ' ',
                COALESCE(home.address, ' '))
            WHEN other.borrowernumber > 0 THEN CONCAT(
                COALESCE(other.B_streetnumber, ' '), ' ',
                COALESCE((SELECT MIN(w.lib) FROM authorised_values w
                           WHERE w.category = 'ROADTYPE' AND w.authorised_value = other.B_streettype),
                         other.B_streettype, ' '), ' ',
                COALESCE(other.B_address, ' '))
       END                                              AS address_1,
       COALESCE(home.address2, other.B_address2)        AS address_2,
       NULL                                             AS address_3,
       NULL                                             AS address_4,
       COALESCE(home.zipcode, other.B_zipcode)          AS postcode,
       COALESCE(home.city, other.B_city)                AS city,
       COALESCE(home.country, other.B_country)          AS country,
       -- without its subtitle, as Koha keeps it
       t.title                                          AS title,
       t.author                                         AS author,
       it.itemcallnumber                                AS call_number,
       CASE WHEN LENGTH(TRIM(it.enumchron)) > 0 THEN it.enumchron
            WHEN LENGTH(TRIM(t.part_number)) > 0 THEN t.part_number
            ELSE v.volume END                           AS volume,
       it.barcode                                       AS item_barcode,
       CASE :branch_of
            WHEN 'item' THEN COALESCE(it.homebranch, it.holdingbranch, i.branchcode)
            WHEN 'patron' THEN COALESCE(b.branchcode, i.branchcode)
            ELSE COALESCE(i.branchcode, it.holdingbranch, it.homebranch) END AS branch,
       -- the item's type, or its record's where the site keeps types there: it decides how long the loan is
       COALESCE(it.itype, v.itemtype)                   AS item_status,
       CAST(CASE WHEN it.replacementprice > 0 THEN it.replacementprice
                 WHEN it.price > 0 THEN it.price
                 WHEN k.defaultreplacecost > 0 THEN CAST(k.defaultreplacecost AS DECIMAL(12, 2))
            END AS CHAR)                                AS price_text
       -- only where [sms.consent] has a rule for minors
       /*{birth_date:unasked*/ /*|asked: , b.dateofbirth AS birth_date }*/
  FROM issues i
  -- every join is by a primary key, but for claims: unique by item and issue. Keys are enforced in Koha; the joins are
  -- outer ones all the same, so that a base repaired by hand hides no loan
  LEFT JOIN borrowers b
         ON b.borrowernumber = i.borrowernumber
  LEFT JOIN categories c
         ON c.categorycode = b.categorycode
  -- the address, unless the library knows that letters do not arrive there (gonenoaddress): e-mails and SMS go on.
  -- A card that expired, was lost or is blocked (dateexpiry, lost, debarred) closes no loan: such readers are written to
  LEFT JOIN borrowers home
         ON home.borrowernumber = i.borrowernumber
        AND COALESCE(home.gonenoaddress, 0) = 0
        AND (LENGTH(TRIM(home.address)) > 0 OR LENGTH(TRIM(home.city)) > 0)
        AND (:other_address <> 'before' OR COALESCE(LENGTH(TRIM(home.B_address)), 0) = 0)
  -- the alternative address, whole, never mixed with the first
  LEFT JOIN borrowers other
         ON other.borrowernumber = i.borrowernumber
        AND COALESCE(other.gonenoaddress, 0) = 0
        AND home.borrowernumber IS NULL
        AND :other_address <> 'never'
  LEFT JOIN items it
         ON it.itemnumber = i.itemnumber
  LEFT JOIN biblio t
         ON t.biblionumber = it.biblionumber
  LEFT JOIN biblioitems v
         ON v.biblioitemnumber = it.biblioitemnumber
  LEFT JOIN itemtypes k
         ON k.itemtype = COALESCE(it.itype, v.itemtype)
 WHERE i.date_due >= :due_from
   AND i.date_due < :due_to
   -- a return moves the row to old_issues: this is a belt
   AND i.returndate IS NULL
   AND (COALESCE(i.onsite_checkout, 0) = 0 OR :on_site = 'yes')
   -- lost, as Koha's own script has it, but for the codes that the site goes on reminding of
   AND (COALESCE(it.itemlost, 0) = 0
        OR CAST(it.itemlost AS CHAR) IN (:lost_told_1, :lost_told_2, :lost_told_3, :lost_told_4))
   -- "I have returned it", which nobody has settled yet
   AND NOT EXISTS (SELECT 1 FROM return_claims r
                    WHERE r.itemnumber = i.itemnumber
                      AND r.issue_id = i.issue_id
                      AND r.resolved_on IS NULL)
   -- categories without the box "Overdue notice required" get nothing from Koha's own script
   AND (:notice_box = 'ignored' OR b.borrowernumber IS NULL OR c.overduenoticerequired = 1)
   AND COALESCE(b.categorycode, '-') NOT IN (:left_out_1, :left_out_2, :left_out_3, :left_out_4,
                                             :left_out_5, :left_out_6, :left_out_7, :left_out_8)
 ORDER BY i.issue_id
