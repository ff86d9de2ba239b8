"""The pages about readers."""
