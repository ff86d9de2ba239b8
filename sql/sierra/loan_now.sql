-- By the id of the checkout, where the view has an index on it (?). An id that is no number is of another system: no row.
-- `told` is 0 for a loan that is lost or claimed returned.
SELECT c.due_gmt AS due_date,
       CASE WHEN COALESCE(TRIM(CAST(it.item_status_code AS VARCHAR(20))), '-')
                 IN (:lost_1, :lost_2, :lost_3, :lost_4, :lost_5, :lost_6, :lost_7, :lost_8)
            THEN 0 ELSE 1 END AS told
  FROM sierra_view.checkout c
  LEFT JOIN sierra_view.item_record it
         ON it.id = c.item_record_id
 WHERE c.id = CAST(CASE WHEN CAST(:loan_key AS VARCHAR(200)) ~ '^[0-9]{1,18}$' THEN :loan_key ELSE '0' END AS BIGINT)
