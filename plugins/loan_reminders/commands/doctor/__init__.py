"""`loan-reminders doctor`: is all that the reminders need in order, and what is to be done about what is not."""
