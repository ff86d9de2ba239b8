"""The addresses of several libraries in one installation."""
