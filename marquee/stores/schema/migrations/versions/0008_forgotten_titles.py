"""When a profile removed a title from its history: what was watched before that stays away."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("watched_title", sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.execute("DELETE FROM watched_title WHERE last_watched_at <= forgotten_at")
    op.drop_column("watched_title", "forgotten_at")
