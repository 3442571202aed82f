"""What Alembic runs: it gets an open connection from `marquee.stores.schema.migrate` and never makes its own."""

from alembic import context

from marquee.stores.schema.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    compare_server_default=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
