"""The fictional library of Montclar in the tables of other library systems: the same readers, the same loans."""
