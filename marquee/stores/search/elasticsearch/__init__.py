"""The search index on Elasticsearch: many readers and many writers."""
