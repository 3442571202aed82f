"""Turning an accepted source into renditions: the plan, the filters, a chunk's ffmpeg call, joining, and scoring."""
