"""What the ledger keeps of SMS: their text, cost, receipts and replies."""
