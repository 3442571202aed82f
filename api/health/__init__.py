"""What operators and the supervisor ask: alive, ready, metrics."""
