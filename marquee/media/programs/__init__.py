"""Runs a media program: where its binary is, what limits it gets, and the one function that starts it."""
