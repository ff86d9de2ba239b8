-- By the primary key: a renewal keeps issue_id (?) and changes date_due, a return takes the row away. MariaDB reads '12abc' as
-- the number 12: a loan of another system, from before a migration, must not find ours. `told` is 0
-- for a loan that is lost or claimed returned.
SELECT i.date_due AS due_date,
       CASE WHEN COALESCE(it.itemlost, 0) <> 0
             AND CAST(it.itemlost AS CHAR) NOT IN (:lost_told_1, :lost_told_2, :lost_told_3, :lost_told_4) THEN 0
            WHEN EXISTS (SELECT 1 FROM return_claims r
                          WHERE r.itemnumber = i.itemnumber
                            AND r.issue_id = i.issue_id
                            AND r.resolved_on IS NULL) THEN 0
            ELSE 1 END AS told
  FROM issues i
  LEFT JOIN items it
         ON it.itemnumber = i.itemnumber
 WHERE i.issue_id = :loan_key
   AND CAST(i.issue_id AS CHAR) = :loan_key
   AND i.returndate IS NULL
