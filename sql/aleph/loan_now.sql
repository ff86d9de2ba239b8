SELECT z36.z36_due_date AS due_date
  FROM z36
 WHERE z36.z36_rec_key = :loan_key
   AND z36.z36_number = :loan_number
   AND z36.z36_status = 'A'
   AND COALESCE(z36.z36_returned_date, 0) = 0
