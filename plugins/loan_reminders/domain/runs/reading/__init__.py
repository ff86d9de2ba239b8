"""What was read of the ILS in one run: texts repaired, codes that the settings do not know, and is it as usual?"""
