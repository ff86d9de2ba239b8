"""Rules and values about recipients who are not written to any more."""
