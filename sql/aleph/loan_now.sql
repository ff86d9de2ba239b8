-- The present due date of one loan that is still open, by its key; `told` is 0 for one that is lost or claimed returned.
SELECT /*{due_date:Z36_DUE_DATE*/ z36.z36_due_date /*|Z36_EFFECTIVE_DUE_DATE: z36.z36_effective_due_date }*/ AS due_date,
       CASE WHEN TRIM(z36.z36_status) IN (:loan_status_1, :loan_status_2, :loan_status_3, :loan_status_4)
            THEN 1 ELSE 0 END AS told
  FROM z36
 WHERE z36.z36_rec_key = :loan_key
   AND z36.z36_number = :loan_number
   AND COALESCE(z36.z36_returned_date, 0) = 0
