"""When an erased profile was deleted, and when what it watched was erased for good.

Two columns without a default: no row is written, older processes go on. Some databases have them already: for a time revision
0010 made them.
"""

from alembic import op

from marquee.stores.schema.migrations import online

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    online.change_table(
        lambda: op.execute(
            "ALTER TABLE lake_erasure ADD COLUMN IF NOT EXISTS deleted_at timestamptz,"
            " ADD COLUMN IF NOT EXISTS watching_erased_at timestamptz"
        )
    )


def downgrade() -> None:
    online.change_table(
        lambda: op.execute(
            "ALTER TABLE lake_erasure DROP COLUMN IF EXISTS deleted_at, DROP COLUMN IF EXISTS watching_erased_at"
        )
    )
