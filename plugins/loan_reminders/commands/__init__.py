"""What a person runs by hand: `loan-reminders NAME`, each module one command, listed in `registry`."""
