"""Draws a title's ladder for content engineers."""
