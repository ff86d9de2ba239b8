"""The words of librarians: one French vocabulary for every closed list."""
