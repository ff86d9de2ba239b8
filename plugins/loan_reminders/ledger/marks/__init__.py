"""The ledger's side of the high-water mark: marks made, and gaps that a person was asked about."""
