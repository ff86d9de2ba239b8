"""The use cases about registered letters, from the draft to the acknowledgement."""
