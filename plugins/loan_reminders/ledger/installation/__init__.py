"""What is asked of a ledger when a whole installation is checked."""
