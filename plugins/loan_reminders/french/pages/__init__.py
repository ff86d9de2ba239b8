"""What librarians read on one page each."""
