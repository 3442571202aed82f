"""What Alembic runs, on the connection that `marquee.stores.schema.migrate` opened."""

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
