-- By the primary key: a renewal changes pret_retour, a return takes the row away (?). The number keeps apart the next loan of the
-- same item. MariaDB reads '12abc' as the number 12: a loan of another system must not find ours. `told` is 0 for
-- one that is lost.
SELECT p.pret_retour AS due_date,
       CASE WHEN COALESCE(CAST(e.expl_statut AS CHAR), '-')
                 IN (:lost_1, :lost_2, :lost_3, :lost_4, :lost_5, :lost_6, :lost_7, :lost_8)
            THEN 0 ELSE 1 END AS told
  FROM pret p
  LEFT JOIN exemplaires e
         ON e.expl_id = p.pret_idexpl
 WHERE p.pret_idexpl = :loan_key
   AND CAST(p.pret_idexpl AS CHAR) = :loan_key
   AND CAST(p.pret_arc_id AS CHAR) = :loan_number
