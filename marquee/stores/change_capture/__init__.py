"""Change capture: embedded Debezium over PostgreSQL's WAL, and the replication slot that it reads from."""
