"""A red or late run told to people."""
