"""Rules and values about registered letters, from the draft to the acknowledgement."""
