"""Figures: the nightly look at the loans that readers were told of."""
