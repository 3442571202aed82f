"""The PostgreSQL schema: tables as classes, the migrations that make them, and the command that applies them."""
