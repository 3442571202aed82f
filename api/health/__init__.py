"""What operators and the supervisor ask: whether the process is alive, and whether the engines behind it answer."""
