"""Remove what has been kept long enough."""
