"""All that pages and runs ask of the ledger, each question once: for the test of its plans."""
