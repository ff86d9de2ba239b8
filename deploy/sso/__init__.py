"""Accounts kept by the institution: single sign-on by OpenID Connect."""
