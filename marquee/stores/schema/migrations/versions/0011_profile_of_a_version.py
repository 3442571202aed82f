"""By which encoding profile a version was planned. Two columns without a default: no row is written, older processes go on."""

from alembic import op

from marquee.stores.schema.migrations import online

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    online.change_table(
        lambda: op.execute(
            "ALTER TABLE title_version ADD COLUMN IF NOT EXISTS profile text, ADD COLUMN IF NOT EXISTS profile_hash text"
        )
    )


def downgrade() -> None:
    online.change_table(
        lambda: op.execute(
            "ALTER TABLE title_version DROP COLUMN IF EXISTS profile, DROP COLUMN IF EXISTS profile_hash"
        )
    )
