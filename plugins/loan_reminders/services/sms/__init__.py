"""The use cases about SMS: their text, cost, receipts and replies."""
