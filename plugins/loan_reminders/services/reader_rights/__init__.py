"""What a reader asks about himself: to be given all that is held of him, or to have it erased."""
