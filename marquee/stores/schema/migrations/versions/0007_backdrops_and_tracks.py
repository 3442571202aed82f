"""What a title's page shows before it is played: the backdrop's sizes, and the tracks of the active version."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("title", sa.Column("backdrop", postgresql.JSONB(), nullable=True))
    op.add_column("title", sa.Column("tracks", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("title", "tracks")
    op.drop_column("title", "backdrop")
