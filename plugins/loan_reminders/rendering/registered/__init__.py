"""The posting slip that goes with registered letters."""
