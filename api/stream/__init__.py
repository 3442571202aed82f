"""The signed stream URL with the resume position, and the hot path: progress every 4 s from every viewer."""
