"""What stays of what was removed, and what must not be removed yet."""
