"""What the ledger keeps of recipients who are not written to any more."""
