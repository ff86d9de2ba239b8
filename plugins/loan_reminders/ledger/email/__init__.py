"""What the ledger keeps of e-mails and their bounces."""
