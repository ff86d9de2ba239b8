"""What is removed of the ledger once its time has come, a page at a time."""
