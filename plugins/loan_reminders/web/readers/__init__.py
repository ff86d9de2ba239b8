"""The pages of readers: the search, and all that was said to one of them."""
