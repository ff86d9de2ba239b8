"""Rules and values about e-mails and their bounces."""
