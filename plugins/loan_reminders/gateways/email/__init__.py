"""The outside world of e-mails and their bounces."""
