"""A job's last claim: titles of one priority take turns."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job", sa.Column("claimed", sa.BigInteger(), nullable=True))
    op.create_index("job_title_idx", "job", ["movie_id", "claimed"], unique=False)
    op.create_index(
        "job_title_waiting_idx",
        "job",
        ["movie_id", "priority", "position"],
        unique=False,
        postgresql_where="state IN ('queued', 'leased')",
    )


def downgrade() -> None:
    op.drop_index("job_title_waiting_idx", "job")
    op.drop_index("job_title_idx", "job")
    op.drop_column("job", "claimed")
