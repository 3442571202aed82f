"""Deleted titles whose objects have to be removed; also those that were deleted before this revision."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deleted_title",
        sa.Column("movie_id", sa.Text(collation="C"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("movie_id", name=op.f("deleted_title_pkey")),
    )
    op.execute("INSERT INTO deleted_title (movie_id) SELECT movie_id FROM title WHERE state = 'deleted'")


def downgrade() -> None:
    op.drop_table("deleted_title")
