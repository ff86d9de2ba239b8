"""What readers ask about themselves: all that is held of them, objections, what was put right, erasure."""
