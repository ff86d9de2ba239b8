"""What the ledger keeps of the file of a loan that a reader contests."""
