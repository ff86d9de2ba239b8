"""E-mails: subject, text, HTML, and the bytes for the mail server."""
