"""What the engineers' list of titles is ordered and filtered by; titles and versions that were cancelled.

Older processes go on while it runs: each step is committed by itself, and after a kill it is run again from the first one.
"""

import sqlalchemy as sa
from alembic import op

from marquee.stores.schema.migrations import online
from marquee.stores.search.relevance.text import words

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BATCH = 1000
"""Titles that are locked at once: a change of one of them waits for about 0.1 s."""
TITLE_STATES = "'announced', 'ingesting', 'playable', 'refused', 'failed', {}'unpublished', 'deleted'"
VERSION_STATES = "'uploading', 'ingesting', 'playable', 'refused', 'failed', {}'superseded', 'duplicate'"
ORDER = [sa.text("changed_at DESC"), sa.text("movie_id DESC")]
COLUMNS = {
    "changed_at": "timestamptz NOT NULL DEFAULT now()",
    "words": "tsvector NOT NULL DEFAULT ''",
    "noted": "boolean NOT NULL DEFAULT false",
    "in_work": "boolean NOT NULL DEFAULT false",
}
VERSION_COLUMNS = {"overtaken_by": "integer", "removed": "boolean NOT NULL DEFAULT false"}


def upgrade() -> None:
    _allow("'cancelled', ")
    online.change_table(_add_columns)
    _fill()
    # Deleted titles are in the list only where it is asked for them, and they may be many.
    online.build_index("title_changed_idx", "title", ORDER, postgresql_where="state <> 'deleted'")
    online.build_index("title_state_changed_idx", "title", ["state", *ORDER])
    for flag in ("noted", "in_work"):
        online.build_index(f"title_{flag}_idx", "title", ORDER, postgresql_where=f"{flag} AND state <> 'deleted'")
    online.build_index("title_words_idx", "title", ["words"], postgresql_using="gin")
    online.build_index(
        "title_version_ended_idx",
        "title_version",
        ["state", "updated_at"],
        postgresql_where="state IN ('failed', 'cancelled')",
    )
    online.build_index(
        "title_version_unremoved_idx",
        "title_version",
        ["updated_at"],
        postgresql_where="state = 'cancelled' AND NOT removed",
    )
    online.drop_index("title_state_idx", "title")


def downgrade() -> None:
    for index in ("unremoved", "ended"):
        online.drop_index(f"title_version_{index}_idx", "title_version")
    for index in ("words", "in_work", "noted", "state_changed", "changed"):
        online.drop_index(f"title_{index}_idx", "title")
    online.build_index("title_state_idx", "title", ["state", "movie_id"])
    op.execute("UPDATE title SET state = 'failed' WHERE state = 'cancelled'")
    op.execute("UPDATE title_version SET state = 'failed' WHERE state = 'cancelled'")
    online.commit()
    _allow("")
    for table, columns in (("title", COLUMNS), ("title_version", VERSION_COLUMNS)):
        for column in columns:
            op.execute(f"ALTER TABLE {table} DROP COLUMN IF EXISTS {column}")


def _add_columns() -> None:
    """A constant default is stored once: no row is written."""
    for table, columns in (("title", COLUMNS), ("title_version", VERSION_COLUMNS)):
        for column, kind in columns.items():
            op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} {kind}")


def _allow(added: str) -> None:
    for table, states in (("title", TITLE_STATES), ("title_version", VERSION_STATES)):
        online.replace_check(f"{table}_state_check", table, f"state IN ({states.format(added)})")


def _fill() -> None:
    """One pass over the titles, each batch committed: the words are folded in Python, as search folds them.

    Titles that an earlier run filled are not written again.
    """
    connection, after = op.get_bind(), ""
    # Locked in the order of ids: the title and its words belong together.
    read = sa.text(
        "SELECT movie_id, title FROM title WHERE movie_id > :after ORDER BY movie_id LIMIT :batch FOR NO KEY UPDATE"
    )
    write = sa.text(
        """
        UPDATE title SET words = filled.words, changed_at = filled.changed_at, in_work = filled.in_work, noted = filled.noted
        FROM (
            SELECT t.movie_id,
                coalesce((SELECT array_to_tsvector(array_agg(DISTINCT word))
                          FROM jsonb_array_elements_text(named.words) AS word), '') AS words,
                greatest(t.created_at, t.published_at,
                         (SELECT max(updated_at) FROM title_version AS v WHERE v.movie_id = t.movie_id)) AS changed_at,
                EXISTS (SELECT FROM title_version AS v WHERE v.movie_id = t.movie_id
                        AND v.state IN ('uploading', 'ingesting')) AS in_work,
                coalesce((SELECT jsonb_path_exists(v.notes, '$.*[*]') FROM title_version AS v
                          WHERE v.movie_id = t.movie_id
                          ORDER BY (v.version = t.active_version) DESC NULLS LAST, v.version DESC LIMIT 1),
                         false) AS noted
            FROM jsonb_to_recordset(CAST(:named AS jsonb)) AS named (movie_id text, words jsonb)
            JOIN title AS t ON t.movie_id = named.movie_id
        ) AS filled
        WHERE title.movie_id = filled.movie_id AND (title.words, title.changed_at, title.in_work, title.noted)
              IS DISTINCT FROM (filled.words, filled.changed_at, filled.in_work, filled.noted)
        """
    ).bindparams(sa.bindparam("named", type_=sa.JSON))
    while rows := connection.execute(read, {"after": after, "batch": BATCH}).all():
        named = [{"movie_id": movie_id, "words": list(words(title))} for movie_id, title in rows]
        connection.execute(write, {"named": named})
        online.commit()
        after = rows[-1][0]
