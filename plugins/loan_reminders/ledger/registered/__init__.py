"""What the ledger keeps of registered letters, from the draft to the acknowledgement."""
