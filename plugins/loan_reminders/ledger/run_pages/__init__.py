"""What the pages about runs ask of the ledger: what waits for a person, one run, its questions, a missed day."""
