"""Playing: signed stream URLs with the resume position, and progress, the hot path (every viewer every 4 s)."""
