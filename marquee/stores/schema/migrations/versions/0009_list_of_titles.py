"""What the engineers' list of titles is ordered and filtered by; titles and versions that were cancelled."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

from marquee.stores.search.relevance.text import words

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BATCH = 5000
TITLE_STATES = "'announced', 'ingesting', 'playable', 'refused', 'failed', {}'unpublished', 'deleted'"
VERSION_STATES = "'uploading', 'ingesting', 'playable', 'refused', 'failed', {}'superseded', 'duplicate'"
ORDER = [sa.text("changed_at DESC"), sa.text("movie_id DESC")]


def upgrade() -> None:
    _allow("'cancelled', ")
    op.add_column(
        "title", sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
    )
    op.add_column("title", sa.Column("words", TSVECTOR(), server_default=sa.text("''"), nullable=False))
    for flag in ("noted", "in_work"):
        op.add_column("title", sa.Column(flag, sa.Boolean(), server_default=sa.text("false"), nullable=False))
    _fill()
    op.drop_index("title_state_idx", "title")
    op.create_index("title_changed_idx", "title", ORDER, unique=False)
    op.create_index("title_state_changed_idx", "title", ["state", *ORDER], unique=False)
    op.create_index("title_noted_idx", "title", ORDER, unique=False, postgresql_where="noted")
    op.create_index("title_in_work_idx", "title", ORDER, unique=False, postgresql_where="in_work")
    op.create_index("title_words_idx", "title", ["words"], unique=False, postgresql_using="gin")
    op.create_index(
        "title_version_ended_idx",
        "title_version",
        ["state", "updated_at"],
        unique=False,
        postgresql_where="state IN ('failed', 'cancelled')",
    )


def downgrade() -> None:
    op.drop_index("title_version_ended_idx", "title_version")
    for index in ("words", "in_work", "noted", "state_changed", "changed"):
        op.drop_index(f"title_{index}_idx", "title")
    op.create_index("title_state_idx", "title", ["state", "movie_id"], unique=False)
    for column in ("in_work", "noted", "words", "changed_at"):
        op.drop_column("title", column)
    op.execute("UPDATE title SET state = 'failed' WHERE state = 'cancelled'")
    op.execute("UPDATE title_version SET state = 'failed' WHERE state = 'cancelled'")
    _allow("")


def _allow(added: str) -> None:
    for table, states in (("title", TITLE_STATES), ("title_version", VERSION_STATES)):
        op.drop_constraint(op.f(f"{table}_state_check"), table, type_="check")
        op.create_check_constraint(op.f(f"{table}_state_check"), table, f"state IN ({states.format(added)})")


def _fill() -> None:
    """One pass over the titles: the words are folded in Python, as search folds them."""
    connection, after = op.get_bind(), ""
    read = sa.text("SELECT movie_id, title FROM title WHERE movie_id > :after ORDER BY movie_id LIMIT :batch")
    write = sa.text(
        """
        UPDATE title SET
            words = coalesce((SELECT array_to_tsvector(array_agg(DISTINCT word))
                              FROM jsonb_array_elements_text(named.words) AS word), ''),
            changed_at = greatest(created_at, published_at,
                                  (SELECT max(updated_at) FROM title_version AS v WHERE v.movie_id = title.movie_id)),
            in_work = EXISTS (SELECT FROM title_version AS v WHERE v.movie_id = title.movie_id
                              AND v.state IN ('uploading', 'ingesting')),
            noted = coalesce((SELECT jsonb_path_exists(v.notes, '$.*[*]') FROM title_version AS v
                              WHERE v.movie_id = title.movie_id
                              ORDER BY (v.version = title.active_version) DESC NULLS LAST, v.version DESC LIMIT 1), false)
        FROM jsonb_to_recordset(CAST(:named AS jsonb)) AS named (movie_id text, words jsonb)
        WHERE title.movie_id = named.movie_id
        """
    ).bindparams(sa.bindparam("named", type_=sa.JSON))
    while rows := connection.execute(read, {"after": after, "batch": BATCH}).all():
        named = [{"movie_id": movie_id, "words": list(words(title))} for movie_id, title in rows]
        connection.execute(write, {"named": named})
        after = rows[-1][0]
