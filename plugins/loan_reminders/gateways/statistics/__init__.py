"""Figures worked out by a package of statistics."""
