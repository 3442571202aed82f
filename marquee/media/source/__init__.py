"""Reads an uploaded file and judges it: what it claims, what it really holds, and whether it can become a title."""
