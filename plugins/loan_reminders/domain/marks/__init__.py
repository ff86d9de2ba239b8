"""Rules and values about the high-water mark: what left, kept beside the letters, and what a restored ledger lacks."""
