"""Rules and values about the file of a loan that a reader contests."""
