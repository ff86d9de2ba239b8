"""Nothing leaves from a ledger that lacks what has left already."""
