"""The programs of one machine, one module for each kind: their configuration, their start, their readiness probe."""
