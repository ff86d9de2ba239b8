"""What the ledger keeps of letters on paper and their batches."""
