"""The pages of letters on paper."""
