"""`library.toml`, the one file a library edits: read once, checked whole."""
