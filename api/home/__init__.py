"""The home page: asks every row service at once, each behind its own bulkhead, time-out and breaker."""
