"""What a person runs by hand, each module one command: `python -m loan_reminders.commands.<name>`."""
