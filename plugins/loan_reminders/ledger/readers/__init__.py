"""What the ledger keeps of readers, to find them and to tell all that was said to them."""
