"""What a search means and how its results are ordered, the same on every engine."""
