"""The file of one loan, for a dispute: everything sent about it, as one PDF."""
