"""The programs of one machine, one module a kind: how each is configured, started and asked whether it is ready."""
