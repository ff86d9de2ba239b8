"""The ledger: what was seen, planned, attempted and answered, in PostgreSQL."""
