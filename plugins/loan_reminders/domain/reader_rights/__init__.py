"""What a reader may ask of the library about his own data: to see it, to have it put right, erased, or not used."""
