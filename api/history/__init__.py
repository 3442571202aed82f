"""The watch history of a profile."""
