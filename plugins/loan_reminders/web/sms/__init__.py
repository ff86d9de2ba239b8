"""The door by which the SMS provider calls us."""
