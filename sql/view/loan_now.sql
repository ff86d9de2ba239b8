-- The present due date of one loan that is still open: the view holds no other.
SELECT loan.due_date AS due_date
  FROM reminders_loans loan
 WHERE loan.loan_key = :loan_key
