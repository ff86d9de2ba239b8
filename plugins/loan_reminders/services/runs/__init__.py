"""The use cases about runs: extract, plan, claim, close, missed days."""
