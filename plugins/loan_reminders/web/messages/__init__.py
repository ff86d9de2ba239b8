"""The messages as their readers see them."""
