"""The search index on Tantivy: one folder of one machine, many readers, one writer."""
