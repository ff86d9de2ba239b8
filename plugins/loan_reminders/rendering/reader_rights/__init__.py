"""All that is held of a reader, as he is given it: one PDF, and the same as JSON."""
