"""What a reader may ask about himself, at a terminal."""
