"""Reading an uploaded file and judging it: what it claims, what it really holds, and whether it can become a title."""
