"""The outside world of SMS: their text, cost, receipts and replies."""
