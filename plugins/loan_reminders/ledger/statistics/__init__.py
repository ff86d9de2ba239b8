"""Figures: the counters of messages and of returns, and when loans ended."""
