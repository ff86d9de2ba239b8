-- Holds that arrived and wait for their reader, one row per hold, for PMB 7 and 8 on MariaDB or MySQL.
-- Columns and rules are in sql/README.md, Other notices. Read in PMB's own queries (lists and letters of holds): every column
-- of resa below. Known by hearsay only: what is marked (?). Never run on a library's PMB.
-- PMB tells of this by itself too: switch that off, or readers hear of it twice.
SELECT h.id_resa                                        AS notice_key,
       -- the day on which the item was put aside; 0000-00-00 until then
       h.resa_date_debut                                AS notice_date,
       h.resa_idempr                                    AS patron_id,
       r.empr_cb                                        AS patron_barcode,
       CAST(r.empr_categ AS CHAR)                       AS patron_status,
       CAST(r.empr_codestat AS CHAR)                    AS patron_type,
       r.empr_nom                                       AS last_name,
       r.empr_prenom                                    AS first_name,
       -- a class or another group of readers has its whole name there
       r.empr_nom                                       AS full_name,
       r.empr_lang                                      AS language,
       r.empr_mail                                      AS email,
       -- the box "SMS" stands beside the first telephone: PMB itself sends none to a reader without it
       CASE WHEN r.empr_sms = 1 THEN r.empr_tel1 END    AS phone_sms,
       CASE WHEN r.empr_sms = 1 OR :sms_box = 'ignored' THEN r.empr_tel1 END AS phone_1,
       CASE WHEN r.empr_sms = 1 OR :sms_box = 'ignored' THEN r.empr_tel2 END AS phone_2,
       NULL                                             AS phone_3,
       NULL                                             AS phone_4,
       -- of a periodical, its own title; the issue is the volume
       COALESCE(n.tit1, s.tit1)                         AS title,
       CASE WHEN LENGTH(TRIM(a.author_rejete)) > 0 THEN CONCAT(a.author_name, ', ', a.author_rejete)
            ELSE a.author_name END                      AS author,
       e.expl_cote                                      AS call_number,
       CASE WHEN u.bulletin_id > 0 THEN CONCAT(COALESCE(u.bulletin_numero, ' '), ' ', COALESCE(u.mention_date, ' '))
            WHEN LENGTH(TRIM(g.serie_name)) > 0 THEN CONCAT(g.serie_name, ', ', COALESCE(n.tnvol, ' '))
            ELSE n.tnvol END                            AS volume,
       e.expl_cb                                        AS item_barcode,
       CAST(CASE WHEN h.resa_loc_retrait > 0 THEN h.resa_loc_retrait
                 WHEN :branch_of = 'patron' THEN r.empr_location
                 ELSE e.expl_location END AS CHAR)      AS branch
       -- only where [sms.consent] asks for it: the same box, 1 or 0
       /*{sms_consent:unasked*/ /*|asked: , CAST(r.empr_sms AS CHAR) AS sms_consent }*/
       -- only where [sms.consent] has a rule for minors; PMB knows the year alone
       /*{birth_date:unasked*/ /*|asked: , r.empr_year AS birth_date }*/
  FROM resa h
  LEFT JOIN empr r
         ON r.id_empr = h.resa_idempr
  -- the barcode of the item that was put aside; empty until then
  LEFT JOIN exemplaires e
         ON e.expl_cb = h.resa_cb
  LEFT JOIN notices n
         ON n.notice_id = h.resa_idnotice
        AND h.resa_idnotice > 0
  LEFT JOIN bulletins u
         ON u.bulletin_id = h.resa_idbulletin
        AND h.resa_idbulletin > 0
  LEFT JOIN notices s
         ON s.notice_id = u.bulletin_notice
  LEFT JOIN series g
         ON g.serie_id = n.tparent_id
  -- type 0 is the main responsibility; of several, the first in order
  LEFT JOIN authors a
         ON a.author_id = (SELECT MIN(f.responsability_author)
                             FROM responsability f
                            WHERE f.responsability_notice = n.notice_id
                              AND f.responsability_type = 0
                              AND f.responsability_ordre = (SELECT MIN(o.responsability_ordre)
                                                              FROM responsability o
                                                             WHERE o.responsability_notice = n.notice_id
                                                               AND o.responsability_type = 0))
 WHERE h.resa_date_debut >= :due_from
   AND h.resa_date_debut < :due_to
   AND LENGTH(TRIM(h.resa_cb)) > 0
   -- it was confirmed to the desk (?)
   AND h.resa_confirmee = 1
   AND COALESCE(CAST(r.empr_categ AS CHAR), '-')
       NOT IN (:left_out_1, :left_out_2, :left_out_3, :left_out_4,
               :left_out_5, :left_out_6, :left_out_7, :left_out_8)
 ORDER BY h.id_resa
