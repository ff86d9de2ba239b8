"""What a reader may ask about himself, on his page."""
