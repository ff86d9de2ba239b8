"""The fictional library of Montclar: its tables, its readers, its loans, and everything that is wrong with them."""
