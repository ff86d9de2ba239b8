-- Holds that arrived and wait for their reader, one row per hold, for Sierra (PostgreSQL, views of the schema sierra_view).
-- Columns and rules are in sql/README.md, Other notices. Names are those that site scripts use of sierra_view.hold. Known by
-- hearsay only: what is marked (?). Never run on a library's Sierra.
-- Sierra tells of this by itself too: switch that off, or readers hear of it twice.
SELECT c.id                                             AS notice_key,
       c.on_holdshelf_gmt                               AS notice_date,
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
       b.best_title                                     AS title,
       b.best_author                                    AS author,
       -- `|a843 |bPRO` is read `843 PRO`; whether this column has the marks at all is not known (?)
       REGEXP_REPLACE(ip.call_number, '[|][a-z0-9]?', ' ', 'g') AS call_number,
       vol.field_content                                AS volume,
       ip.barcode                                       AS item_barcode,
       TRIM(c.pickup_location_code)                     AS branch
       -- only where [sms.consent] has a rule for minors
       /*{birth_date:unasked*/ /*|asked: , p.birth_date_gmt AS birth_date }*/
  FROM sierra_view.hold c
  -- by the keys of the records, never by a whole view: what is repeated is read for one reader or item at a time
  LEFT JOIN sierra_view.record_metadata pm
         ON pm.id = c.patron_record_id
  LEFT JOIN sierra_view.patron_record p
         ON p.id = c.patron_record_id
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
  -- once it is on the shelf the hold is of an item (?); else the title is of the record itself
  LEFT JOIN LATERAL (SELECT r.best_title, r.best_author
                       FROM sierra_view.bib_record_property r
                      WHERE r.bib_record_id = c.record_id
                         OR r.bib_record_id IN (SELECT l.bib_record_id
                                                  FROM sierra_view.bib_record_item_record_link l
                                                 WHERE l.item_record_id = c.record_id)
                      ORDER BY r.bib_record_id
                      FETCH FIRST 1 ROW ONLY) b ON 1 = 1
  LEFT JOIN LATERAL (SELECT q.call_number, q.barcode
                       FROM sierra_view.item_record_property q
                      WHERE q.item_record_id = c.record_id
                      ORDER BY q.barcode
                      FETCH FIRST 1 ROW ONLY) ip ON 1 = 1
  LEFT JOIN LATERAL (SELECT v.field_content
                       FROM sierra_view.varfield v
                      WHERE v.record_id = c.record_id
                        AND v.varfield_type_code = 'v'
                      ORDER BY v.occ_num, v.field_content
                      FETCH FIRST 1 ROW ONLY) vol ON 1 = 1
 WHERE c.on_holdshelf_gmt >= :due_from
   AND c.on_holdshelf_gmt < :due_to
   -- b, i and j: a bibliographic record, an item or a volume that is ready; 0 waits, t is on its way
   AND TRIM(CAST(c.status AS VARCHAR(20))) IN ('b', 'i', 'j')
   AND COALESCE(TRIM(CAST(p.ptype_code AS VARCHAR(20))), '-')
       NOT IN (:left_out_1, :left_out_2, :left_out_3, :left_out_4,
               :left_out_5, :left_out_6, :left_out_7, :left_out_8)
 ORDER BY c.id
