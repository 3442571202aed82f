"""Measurements for `make bench` and for the figures in `docs/capacity.md`. The platform imports nothing from here."""
