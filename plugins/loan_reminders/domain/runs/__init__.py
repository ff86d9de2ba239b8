"""Rules and values about runs: extract, plan, claim, close, missed days."""
