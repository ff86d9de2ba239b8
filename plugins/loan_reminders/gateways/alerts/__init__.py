"""What was told of red and late runs."""
