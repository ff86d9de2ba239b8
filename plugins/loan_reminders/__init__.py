"""Library-loan reminders: who is told what, when, by which channel, once."""
