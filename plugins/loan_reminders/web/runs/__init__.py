"""The page of the day: its five stages, and what waits for a person."""
