"""The benches' own rules."""
