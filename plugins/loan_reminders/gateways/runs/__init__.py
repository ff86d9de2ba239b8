"""The outside world of runs: extract, plan, claim, close, missed days."""
