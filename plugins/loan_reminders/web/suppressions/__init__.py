"""The page of those who are not written to any more."""
