"""Turns an accepted source into renditions: the plan, the filter chain, one chunk's ffmpeg call, joining, and quality scores."""
