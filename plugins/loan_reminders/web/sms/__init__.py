"""The address by which the SMS provider calls us."""
