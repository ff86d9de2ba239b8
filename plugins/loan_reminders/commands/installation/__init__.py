"""What `loan-reminders doctor` checks of an installation, and how what is wrong is told."""
