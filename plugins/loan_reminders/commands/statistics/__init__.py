"""Commands about the figures."""
