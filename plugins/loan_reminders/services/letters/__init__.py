"""The use cases about letters on paper and their batches."""
