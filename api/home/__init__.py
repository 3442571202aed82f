"""The home page: every row service at once, each behind its own bulkhead, time-out and circuit breaker."""
