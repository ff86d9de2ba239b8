-- Open loans of one due date, one row per loan, for PMB 7 and 8 on MariaDB or MySQL.
-- Columns and rules are in sql/README.md. Read in two published dumps of PMB's tables (2015 and 2021) and in PMB's own queries:
-- every table and column below. Known by hearsay only: what is marked (?). Never run on a library's PMB. No window
-- functions and no WITH: hosts with MySQL 5 exist. Site differences are settings, [ils.pmb] of library.toml.
-- PMB reminds by itself, too (niveau_relance): switch its own reminders off, or readers hear of it twice.
SELECT p.pret_idexpl                                    AS loan_key,
       -- tells this loan of the item from its next one
       p.pret_arc_id                                    AS loan_number,
       p.pret_date                                      AS loan_date,
       -- a day without hour or zone, hourly loans too
       p.pret_retour                                    AS due_date,
       COALESCE(p.cpt_prolongation, 0)                  AS renewal_count,
       p.pret_idempr                                    AS patron_id,
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
       r.empr_adr1                                      AS address_1,
       r.empr_adr2                                      AS address_2,
       NULL                                             AS address_3,
       NULL                                             AS address_4,
       r.empr_cp                                        AS postcode,
       r.empr_ville                                     AS city,
       r.empr_pays                                      AS country,
       -- of a periodical, its own title; the issue is the volume
       COALESCE(n.tit1, s.tit1)                         AS title,
       CASE WHEN LENGTH(TRIM(a.author_rejete)) > 0 THEN CONCAT(a.author_name, ', ', a.author_rejete)
            ELSE a.author_name END                      AS author,
       e.expl_cote                                      AS call_number,
       CASE WHEN u.bulletin_id > 0 THEN CONCAT(COALESCE(u.bulletin_numero, ' '), ' ', COALESCE(u.mention_date, ' '))
            WHEN LENGTH(TRIM(g.serie_name)) > 0 THEN CONCAT(g.serie_name, ', ', COALESCE(n.tnvol, ' '))
            ELSE n.tnvol END                            AS volume,
       e.expl_cb                                        AS item_barcode,
       CAST(CASE WHEN :branch_of = 'patron' THEN r.empr_location
                 ELSE e.expl_location END AS CHAR)      AS branch,
       CAST(e.expl_statut AS CHAR)                      AS item_status,
       -- a price of nothing, or words, hide no price of the record
       CASE WHEN e.expl_prix REGEXP '[1-9]' THEN e.expl_prix
            WHEN n.prix REGEXP '[1-9]' THEN n.prix
            ELSE e.expl_prix END                        AS price_text
       -- only where [sms.consent] asks for it: the same box, 1 or 0
       /*{sms_consent:unasked*/ /*|asked: , CAST(r.empr_sms AS CHAR) AS sms_consent }*/
       -- only where [sms.consent] has a rule for minors; PMB knows the year alone
       /*{birth_date:unasked*/ /*|asked: , r.empr_year AS birth_date }*/
  FROM pret p
  -- every join is by a primary key or by responsability_notice. Nothing forbids to delete an item or a record that is on
  -- loan: the joins are outer ones
  LEFT JOIN empr r
         ON r.id_empr = p.pret_idempr
  LEFT JOIN exemplaires e
         ON e.expl_id = p.pret_idexpl
  LEFT JOIN notices n
         ON n.notice_id = e.expl_notice
        AND e.expl_notice > 0
  LEFT JOIN bulletins u
         ON u.bulletin_id = e.expl_bulletin
        AND e.expl_bulletin > 0
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
 WHERE p.pret_retour >= :due_from
   AND p.pret_retour < :due_to
   -- loans of digital books end by themselves (?); the column came between 2015 and 2019
   /*{digital_loans:known*/ AND COALESCE(p.pret_pnb_flag, 0) = 0 /*|unknown: AND 1 = 1 }*/
   -- level 3 is PMB's own last reminder. Recovery is the step after it: the item gets the status of finance_statut_perdu,
   -- and the loan goes
   AND (COALESCE(p.niveau_relance, 0) < 3 OR :last_level = 'yes')
   -- nothing in PMB says "lost" but a status of the site's own
   AND COALESCE(CAST(e.expl_statut AS CHAR), '-')
       NOT IN (:lost_1, :lost_2, :lost_3, :lost_4, :lost_5, :lost_6, :lost_7, :lost_8)
   AND COALESCE(CAST(r.empr_categ AS CHAR), '-')
       NOT IN (:left_out_1, :left_out_2, :left_out_3, :left_out_4,
               :left_out_5, :left_out_6, :left_out_7, :left_out_8)
 ORDER BY p.pret_idexpl
