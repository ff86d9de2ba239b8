"""Readers: their names as they are searched for, and what a search may name."""
