"""Rules and values about letters on paper and their batches."""
