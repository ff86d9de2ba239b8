"""The page of a ledger that lacks what has left already."""
