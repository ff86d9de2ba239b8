"""Figures: what is counted, over which periods, and how a loan may end."""
