"""How every store reaches its engine: URL parsing, TLS, and one bounded client for each engine."""
