"""How long what is known of loans and readers is kept."""
