"""How every store reaches its engine: what a URL may say, TLS, and one bounded client an engine."""
