"""Running a media program: where its binary is, what it may use, and the one place that starts it."""
