"""The text of an SMS."""
