-- The present due date of one loan that is still open, by its key; a key that is no number is of another system.
-- A return takes its row to the archive (seen). `told` is 0 for a loan that is lost or claimed returned.
SELECT ct.current_due_date AS due_date,
       CASE WHEN EXISTS (SELECT 1 FROM item_status s
                          WHERE s.item_id = ct.item_id
                            AND s.item_status IN (:lost_status_1, :lost_status_2, :lost_status_3, :lost_status_4))
            THEN 0 ELSE 1 END AS told
  FROM circ_transactions ct
 WHERE ct.circ_transaction_id = :loan_key_as_number
   AND ct.discharge_date IS NULL
