"""The uploads that an account began in a day are found by an index: their quota is checked at each new one."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("upload_account_idx", "upload", ["account_id", "created_at"], unique=False)


def downgrade() -> None:
    op.drop_index("upload_account_idx", "upload")
