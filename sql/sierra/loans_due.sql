-- Open loans of one due date, one row per loan, for Sierra (PostgreSQL, views of the schema sierra_view).
-- Columns and rules are in sql/README.md. The vendor publishes no DDL: names are those that site scripts and the vendor's
-- pages use (SierraDNA, Transactions/Circulation and Entities/Patron). Known by hearsay only: what is marked (?). Never run on
-- a library's Sierra: look at the types first, as docs/your_system.md says. Site differences are settings, [ils.sierra].
SELECT c.id                                             AS loan_key,
       -- whether the id outlives a renewal is not known (?): renew a test loan between two runs
       NULL                                             AS loan_number,
       c.checkout_gmt                                   AS loan_date,
       -- a moment with its zone: 04:00 of the due day for loans by the day (?), the session's zone is the library's
       c.due_gmt                                        AS due_date,
       COALESCE(c.renewal_count, 0)                     AS renewal_count,
       COALESCE(pm.record_num, c.patron_record_id)      AS patron_id,
       card.field_content                               AS patron_barcode,
       TRIM(CAST(p.ptype_code AS VARCHAR(20)))          AS patron_status,
       CASE :second_code
            WHEN 'pcode1' THEN TRIM(CAST(p.pcode1 AS VARCHAR(20)))
            WHEN 'pcode2' THEN TRIM(CAST(p.pcode2 AS VARCHAR(20)))
            WHEN 'pcode4' THEN TRIM(CAST(p.pcode4 AS VARCHAR(20)))
            ELSE TRIM(CAST(p.pcode3 AS VARCHAR(20))) END AS patron_type,
       n.last_name                                      AS last_name,
       n.first_name                                     AS first_name,
       -- an organisation has its whole name there
       n.last_name                                      AS full_name,
       p.iii_language_pref_code                         AS language,
       mail.field_content                               AS email,
       phone.sms_1                                      AS phone_sms,
       phone.main_1                                     AS phone_1,
       phone.other_1                                    AS phone_2,
       phone.sms_2                                      AS phone_3,
       phone.main_2                                     AS phone_4,
       -- Sierra cuts the field by American rules: town and postcode of a French address may stand in any part (?)
       a.addr1                                          AS address_1,
       a.addr2                                          AS address_2,
       a.addr3                                          AS address_3,
       a.village                                        AS address_4,
       a.postal_code                                    AS postcode,
       a.city                                           AS city,
       a.country                                        AS country,
       b.best_title                                     AS title,
       b.best_author                                    AS author,
       -- `|a843 |bPRO` is read `843 PRO`; whether this column has the marks at all is not known (?)
       REGEXP_REPLACE(ip.call_number, '[|][a-z0-9]?', ' ', 'g') AS call_number,
       vol.field_content                                AS volume,
       ip.barcode                                       AS item_barcode,
       CASE WHEN :branch_of = 'lending' THEN COALESCE(TRIM(g.location_code), TRIM(it.location_code))
            ELSE TRIM(it.location_code) END             AS branch,
       TRIM(CAST(it.item_status_code AS VARCHAR(20)))   AS item_status,
       CASE WHEN it.price > 0 THEN CAST(CAST(it.price AS NUMERIC(12, 2)) AS VARCHAR(20)) END AS price_text
       -- only where [sms.consent] has a rule for minors
       /*{birth_date:unasked*/ /*|asked: , p.birth_date_gmt AS birth_date }*/
  FROM sierra_view.checkout c
  -- by the keys of the records, never by a whole view: what is repeated is read for one reader or item at a time
  LEFT JOIN sierra_view.record_metadata pm
         ON pm.id = c.patron_record_id
  LEFT JOIN sierra_view.patron_record p
         ON p.id = c.patron_record_id
  LEFT JOIN sierra_view.item_record it
         ON it.id = c.item_record_id
  LEFT JOIN sierra_view.record_metadata im
         ON im.id = c.item_record_id
  LEFT JOIN LATERAL (SELECT f.last_name, f.first_name
                       FROM sierra_view.patron_record_fullname f
                      WHERE f.patron_record_id = c.patron_record_id
                      ORDER BY f.display_order, f.last_name, f.first_name
                      FETCH FIRST 1 ROW ONLY) n ON 1 = 1
  -- b: barcodes of the card, z: e-mail addresses; the first that says something
  LEFT JOIN LATERAL (SELECT v.field_content
                       FROM sierra_view.varfield v
                      WHERE v.record_id = c.patron_record_id
                        AND v.varfield_type_code = 'b'
                        AND LENGTH(TRIM(v.field_content)) > 0
                      ORDER BY v.occ_num, v.field_content
                      FETCH FIRST 1 ROW ONLY) card ON 1 = 1
  LEFT JOIN LATERAL (SELECT v.field_content
                       FROM sierra_view.varfield v
                      WHERE v.record_id = c.patron_record_id
                        AND v.varfield_type_code = 'z'
                        AND LENGTH(TRIM(v.field_content)) > 0
                      ORDER BY v.occ_num, v.field_content
                      FETCH FIRST 1 ROW ONLY) mail ON 1 = 1
  -- t: main, p: alternate; which type holds mobiles is the site's own choice
  LEFT JOIN LATERAL (SELECT MAX(CASE WHEN o.code = :mobile_type AND o.place = 1 THEN o.phone_number END) AS sms_1,
                            MAX(CASE WHEN o.code = 't' AND o.place = 1 THEN o.phone_number END)          AS main_1,
                            MAX(CASE WHEN o.code = 'p' AND o.place = 1 THEN o.phone_number END)          AS other_1,
                            MAX(CASE WHEN o.code = :mobile_type AND o.place = 2 THEN o.phone_number END) AS sms_2,
                            MAX(CASE WHEN o.code = 't' AND o.place = 2 THEN o.phone_number END)          AS main_2
                       FROM (SELECT TRIM(k.code) AS code,
                                    h.phone_number,
                                    ROW_NUMBER() OVER (PARTITION BY k.code
                                                       ORDER BY h.display_order, h.phone_number) AS place
                               FROM sierra_view.patron_record_phone h
                               INNER JOIN sierra_view.patron_record_phone_type k
                                 ON k.id = h.patron_record_phone_type_id
                              WHERE h.patron_record_id = c.patron_record_id) o) phone ON 1 = 1
  -- 1: the primary address, 2: the alternate one
  LEFT JOIN LATERAL (SELECT d.addr1, d.addr2, d.addr3, d.village, d.postal_code, d.city, d.country
                       FROM sierra_view.patron_record_address d
                      WHERE d.patron_record_id = c.patron_record_id
                        AND (LENGTH(TRIM(d.addr1)) > 0 OR LENGTH(TRIM(d.city)) > 0)
                      ORDER BY CASE WHEN CAST(d.patron_record_address_type_id AS VARCHAR(5)) = :address_type
                                    THEN 0 ELSE 1 END,
                               d.patron_record_address_type_id, d.display_order, d.addr1
                      FETCH FIRST 1 ROW ONLY) a ON 1 = 1
  -- of several records bound in one volume, the first
  LEFT JOIN LATERAL (SELECT r.best_title, r.best_author
                       FROM sierra_view.bib_record_item_record_link l
                       INNER JOIN sierra_view.bib_record_property r
                         ON r.bib_record_id = l.bib_record_id
                      WHERE l.item_record_id = c.item_record_id
                      ORDER BY l.bibs_display_order, l.bib_record_id
                      FETCH FIRST 1 ROW ONLY) b ON 1 = 1
  LEFT JOIN LATERAL (SELECT q.call_number, q.barcode
                       FROM sierra_view.item_record_property q
                      WHERE q.item_record_id = c.item_record_id
                      ORDER BY q.barcode
                      FETCH FIRST 1 ROW ONLY) ip ON 1 = 1
  LEFT JOIN LATERAL (SELECT v.field_content
                       FROM sierra_view.varfield v
                      WHERE v.record_id = c.item_record_id
                        AND v.varfield_type_code = 'v'
                      ORDER BY v.occ_num, v.field_content
                      FETCH FIRST 1 ROW ONLY) vol ON 1 = 1
  LEFT JOIN LATERAL (SELECT s.location_code
                       FROM sierra_view.statistic_group s
                      WHERE s.code_num = it.checkout_statistic_group_code_num
                      ORDER BY s.location_code
                      FETCH FIRST 1 ROW ONLY) g ON 1 = 1
 WHERE c.due_gmt >= :due_from
   AND c.due_gmt < :due_to
   -- n: billed, z: claims returned, $: lost and paid (?), and what the site adds
   AND COALESCE(TRIM(CAST(it.item_status_code AS VARCHAR(20))), '-')
       NOT IN (:lost_1, :lost_2, :lost_3, :lost_4, :lost_5, :lost_6, :lost_7, :lost_8)
   AND COALESCE(TRIM(CAST(p.ptype_code AS VARCHAR(20))), '-')
       NOT IN (:left_out_1, :left_out_2, :left_out_3, :left_out_4,
               :left_out_5, :left_out_6, :left_out_7, :left_out_8)
   -- equipment and rooms have loan rules of their own
   AND COALESCE(CAST(c.loanrule_code_num AS VARCHAR(20)), '-')
       NOT IN (:rule_out_1, :rule_out_2, :rule_out_3, :rule_out_4,
               :rule_out_5, :rule_out_6, :rule_out_7, :rule_out_8)
   -- an item of a partner library has the partner's campus code
   AND (:partner_items = 'yes' OR LENGTH(TRIM(COALESCE(im.campus_code, ' '))) = 0)
 ORDER BY c.id
