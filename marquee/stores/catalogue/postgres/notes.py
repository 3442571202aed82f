"""The notes of a title's version in PostgreSQL: one JSON object, stage -> list of notes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import text

from marquee.documents import STAGES
from marquee.notes import Note

SET_NOTES: Final = text(
    """
    UPDATE title_version
    SET notes = CASE WHEN :whole THEN CAST(:notes AS jsonb) ELSE notes || CAST(:notes AS jsonb) END
    WHERE movie_id = :movie_id AND version = :version
    RETURNING version
    """
)
NOTES_OF_TITLES: Final = text(
    """
    SELECT DISTINCT ON (title.movie_id) title.movie_id, title_version.notes
    FROM title JOIN title_version USING (movie_id)
    WHERE title.movie_id = ANY(:movie_ids)
    ORDER BY title.movie_id, (title_version.version = title.active_version) DESC NULLS LAST, title_version.version DESC
    """
)


def notes_json(notes: Mapping[str, Sequence[Note]]) -> str:
    """What the column stores."""
    return msgspec.json.encode(notes).decode()


def read_notes(stored: Mapping[str, Any]) -> list[Note]:
    """The notes of a row, in the order of the stages. A stage of another release comes last."""
    by_stage = msgspec.convert(stored, type=dict[str, list[Note]])
    order = [*STAGES, *sorted(by_stage.keys() - set(STAGES))]
    return [one for stage in order for one in by_stage.get(stage, [])]
