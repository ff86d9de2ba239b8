"""The list of suppressions: recipients who are not written to any more."""
