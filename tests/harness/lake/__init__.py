"""Lakes of tests: where they lie, the events in them, and what is in their live files."""
