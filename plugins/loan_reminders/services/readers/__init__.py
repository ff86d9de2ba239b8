"""The use cases about one reader: send a message again, say what is planned next."""
