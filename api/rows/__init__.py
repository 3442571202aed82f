"""Row services: one for each shared row (cache, lock, check again, one query, fill) and continue watching."""
