"""Sessions: a row for each login, which its refresh tokens belong to, and the sessions that ended.

A trigger notes each session that goes, whichever way: also with its account or its profile. A session of a token from before
this revision gets an id made of the token's hash, as a process of this version makes it for a token that an older process has
stored meanwhile (`marquee/stores/sessions/postgres.py`).
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ended_session",
        sa.Column("session_id", sa.Text(collation="C"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name=op.f("ended_session_pkey")),
    )
    op.create_index("ended_session_time_idx", "ended_session", ["ended_at"], unique=False)
    op.create_table(
        "session",
        sa.Column("session_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("profile_id", sa.Text(collation="C"), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("session_account_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profile.profile_id"], name=op.f("session_profile_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("session_pkey")),
    )
    op.create_index("session_account_idx", "session", ["account_id", "last_used_at"], unique=False)
    op.add_column("refresh_token", sa.Column("session_id", sa.Text(collation="C"), nullable=True))
    op.add_column("refresh_token", sa.Column("sealed_successor", sa.Text(), nullable=True))
    op.create_foreign_key(
        op.f("refresh_token_session_id_fkey"),
        "refresh_token",
        "session",
        ["session_id"],
        ["session_id"],
        ondelete="CASCADE",
    )
    op.create_index("refresh_token_session_idx", "refresh_token", ["session_id"], unique=False)
    op.execute(
        """
        CREATE FUNCTION note_ended_session() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO ended_session (session_id, ended_at) VALUES (OLD.session_id, clock_timestamp())
            ON CONFLICT (session_id) DO UPDATE SET ended_at = excluded.ended_at;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER note_ended_session AFTER DELETE ON session FOR EACH ROW EXECUTE FUNCTION note_ended_session()"
    )
    op.execute(
        """
        INSERT INTO session (session_id, account_id, profile_id, device, expires_at)
        SELECT 's_' || left(token_hash, 20), account_id, profile_id, 'Unknown device', expires_at FROM refresh_token
        WHERE revoked_at IS NULL AND NOT ended AND expires_at > now()
        """
    )
    op.execute(
        """
        UPDATE refresh_token SET session_id = 's_' || left(token_hash, 20)
        WHERE revoked_at IS NULL AND NOT ended AND expires_at > now()
        """
    )


def downgrade() -> None:
    op.drop_index("refresh_token_session_idx", table_name="refresh_token")
    op.drop_constraint(op.f("refresh_token_session_id_fkey"), "refresh_token", type_="foreignkey")
    op.drop_column("refresh_token", "sealed_successor")
    op.drop_column("refresh_token", "session_id")
    op.drop_table("session")
    op.execute("DROP FUNCTION note_ended_session()")
    op.drop_table("ended_session")
