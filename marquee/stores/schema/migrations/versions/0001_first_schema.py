"""The first schema: catalogue, uploads and outbox, accounts, watching, jobs, and the publication for change capture."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _titles()
    _change_capture()
    _uploads()
    _accounts()
    _watching()
    _jobs()


def _titles() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("title_revision")))
    op.create_table(
        "change_capture_heartbeat",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("change_capture_heartbeat_pkey")),
    )
    op.create_table(
        "title",
        sa.Column("movie_id", sa.Text(collation="C"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("genres", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("people", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("aka", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("votes", sa.BigInteger(), nullable=True),
        sa.Column("popularity", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("announced", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("hot", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("last_version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("active_version", sa.Integer(), nullable=True),
        sa.Column("duration_seconds", sa.Double(), nullable=True),
        sa.Column("poster", sa.Text(), nullable=True),
        sa.Column("sprite_vtt", sa.Text(), nullable=True),
        sa.Column("manifest", sa.Text(), nullable=True),
        sa.Column("dash", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('announced', 'ingesting', 'playable', 'refused', 'failed', 'unpublished', 'deleted')",
            name=op.f("title_state_check"),
        ),
        sa.PrimaryKeyConstraint("movie_id", name=op.f("title_pkey")),
    )
    op.create_index(
        "title_new_releases_idx",
        "title",
        [sa.literal_column("published_at DESC"), sa.literal_column("movie_id DESC")],
        unique=False,
        postgresql_where="state = 'playable'",
    )
    op.create_index("title_state_idx", "title", ["state", "movie_id"], unique=False)
    op.create_table(
        "title_document",
        sa.Column("movie_id", sa.Text(collation="C"), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("document", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("movie_id", name=op.f("title_document_pkey")),
    )
    op.create_table(
        "title_genre",
        sa.Column("movie_id", sa.Text(collation="C"), nullable=False),
        sa.Column("genre", sa.Text(collation="C"), nullable=False),
        sa.Column("popularity", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["movie_id"], ["title.movie_id"], name=op.f("title_genre_movie_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("movie_id", "genre", name=op.f("title_genre_pkey")),
    )
    op.create_index(
        "title_genre_row_idx",
        "title_genre",
        ["genre", sa.literal_column("popularity DESC"), sa.literal_column("movie_id DESC")],
        unique=False,
    )
    op.create_table(
        "title_version",
        sa.Column("movie_id", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("upload_id", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("percent", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("speed", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state IN ('uploading', 'ingesting', 'playable', 'refused', 'failed', 'superseded', 'duplicate')",
            name=op.f("title_version_state_check"),
        ),
        sa.ForeignKeyConstraint(
            ["movie_id"], ["title.movie_id"], name=op.f("title_version_movie_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("movie_id", "version", name=op.f("title_version_pkey")),
    )
    op.create_index("title_version_upload_id_key", "title_version", ["upload_id"], unique=True)
    op.create_table(
        "title_content",
        sa.Column("sha256", sa.Text(collation="C"), nullable=False),
        sa.Column("movie_id", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["movie_id", "version"],
            ["title_version.movie_id", "title_version.version"],
            name=op.f("title_content_movie_id_version_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sha256", name=op.f("title_content_pkey")),
    )
    op.create_index("title_content_version_idx", "title_content", ["movie_id", "version"], unique=False)


def _change_capture() -> None:
    # FULL: a change carries the whole row before it, so that a reader needs nothing but the change.
    op.execute("ALTER TABLE title_document REPLICA IDENTITY FULL")
    op.execute("CREATE PUBLICATION marquee_title_document FOR TABLE title_document, change_capture_heartbeat")
    op.execute("INSERT INTO change_capture_heartbeat (id) VALUES (1)")


def _uploads() -> None:
    op.create_table(
        "outbox",
        sa.Column("entry_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("outbox_pkey")),
    )
    op.create_table(
        "upload",
        sa.Column("upload_id", sa.Text(collation="C"), nullable=False),
        sa.Column("movie_id", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("part_bytes", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("multipart_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("hot", sa.Boolean(), nullable=False),
        sa.Column("sidecars", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'completing', 'completed', 'aborted', 'abandoned')", name=op.f("upload_state_check")
        ),
        sa.PrimaryKeyConstraint("upload_id", name=op.f("upload_pkey")),
    )
    op.create_index(
        "upload_open_idx",
        "upload",
        ["account_id", "file_name", "size_bytes"],
        unique=False,
        postgresql_where="state = 'open'",
    )
    op.create_index("upload_touched_idx", "upload", ["state", "touched_at"], unique=False)
    op.create_index("upload_version_idx", "upload", ["movie_id", "version"], unique=False)


def _accounts() -> None:
    op.create_table(
        "account",
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_folded", sa.Text(collation="C"), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("role IN ('viewer', 'engineer', 'operator')", name=op.f("account_role_check")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("account_pkey")),
    )
    op.create_index("account_email_key", "account", ["email_folded"], unique=True)
    op.create_table(
        "profile",
        sa.Column("profile_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("profile_account_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("profile_id", name=op.f("profile_pkey")),
    )
    op.create_index("profile_account_idx", "profile", ["account_id", "profile_id"], unique=False)
    op.create_table(
        "refresh_token",
        sa.Column("token_hash", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("profile_id", sa.Text(collation="C"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("refresh_token_account_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profile.profile_id"], name=op.f("refresh_token_profile_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("refresh_token_pkey")),
    )
    op.create_index("refresh_token_account_idx", "refresh_token", ["account_id"], unique=False)


def _watching() -> None:
    op.create_table(
        "resume_position",
        sa.Column("user_id", sa.Text(collation="C"), nullable=False),
        sa.Column("movie_id", sa.Text(collation="C"), nullable=False),
        sa.Column("event_time_ms", sa.BigInteger(), nullable=False),
        sa.Column("position_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("user_id", "movie_id", name=op.f("resume_position_pkey")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "watched_title",
        sa.Column("profile_id", sa.Text(collation="C"), nullable=False),
        sa.Column("movie_id", sa.Text(collation="C"), nullable=False),
        sa.Column("first_watched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_watched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("profile_id", "movie_id", name=op.f("watched_title_pkey")),
    )
    op.create_index(
        "watched_title_page_idx",
        "watched_title",
        ["profile_id", sa.literal_column("last_watched_at DESC"), sa.literal_column("movie_id DESC")],
        unique=False,
    )


def _jobs() -> None:
    op.create_table(
        "job",
        sa.Column("job_id", sa.Text(collation="C"), nullable=False),
        sa.Column("movie_id", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("token", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'leased', 'done', 'failed', 'cancelled')", name=op.f("job_state_check")
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("job_pkey")),
    )
    op.create_index(
        "job_claim_idx", "job", ["priority", "position"], unique=False, postgresql_where="state IN ('queued', 'leased')"
    )
    op.create_index("job_state_idx", "job", ["state"], unique=False)
    op.create_table(
        "job_waiter",
        sa.Column("job_id", sa.Text(collation="C"), nullable=False),
        sa.Column("movie_id", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.job_id"], name=op.f("job_waiter_job_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "movie_id", "version", name=op.f("job_waiter_pkey")),
    )
    op.create_index("job_waiter_version_idx", "job_waiter", ["movie_id", "version"], unique=False)
