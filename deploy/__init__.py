"""What an installation may use beside the program: how people log in."""
