"""Recipients, parsed at the door: inside the package no phone, e-mail or postal address is a loose string."""

from loan_reminders.domain.recipients.email_address import EmailAddress
from loan_reminders.domain.recipients.mobile_number import MobileNumber
from loan_reminders.domain.recipients.postal_address import PostalAddress

Recipient = EmailAddress | MobileNumber | PostalAddress

__all__ = ["EmailAddress", "MobileNumber", "PostalAddress", "Recipient"]
