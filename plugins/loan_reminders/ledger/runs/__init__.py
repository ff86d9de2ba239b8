"""What the ledger keeps of runs: extract, plan, claim, close, missed days."""
