"""The event log on Valkey."""
