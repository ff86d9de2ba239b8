"""The outside world of letters on paper and their batches."""
