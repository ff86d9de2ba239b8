"""The page of registered letters."""
