-- By the primary key: a renewal keeps issue_id (?) and changes date_due, a return takes the row away. MariaDB reads '12abc' as
-- the number 12: a loan of another system, from before a migration, must not find ours.
SELECT i.date_due AS due_date
  FROM issues i
  LEFT JOIN items it
         ON it.itemnumber = i.itemnumber
 WHERE i.issue_id = :loan_key
   AND CAST(i.issue_id AS CHAR) = :loan_key
   AND i.returndate IS NULL
   AND (COALESCE(it.itemlost, 0) = 0
        OR CAST(it.itemlost AS CHAR) IN (:lost_told_1, :lost_told_2, :lost_told_3, :lost_told_4))
   AND NOT EXISTS (SELECT 1 FROM return_claims r
                    WHERE r.itemnumber = i.itemnumber
                      AND r.issue_id = i.issue_id
                      AND r.resolved_on IS NULL)
