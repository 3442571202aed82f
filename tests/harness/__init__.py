"""Shared by all tests: real engines, small platforms, films made by script."""
