"""The use cases about e-mails and their bounces."""
