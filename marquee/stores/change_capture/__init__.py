"""Change capture: embedded Debezium, which reads PostgreSQL's WAL, and the replication slot that it reads from."""
