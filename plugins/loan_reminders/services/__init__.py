"""The use cases, over ports given as arguments: extract, plan, send, print, close."""
