"""The use cases about the file of a loan that a reader contests."""
