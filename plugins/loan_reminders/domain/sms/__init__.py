"""Rules and values about SMS: their text, cost, receipts and replies."""
