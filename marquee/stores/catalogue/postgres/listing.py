"""The engineers' list of titles in PostgreSQL: a page is one index range at any depth, and one statement.

Indices: `title_changed_idx` without a filter, `title_state_changed_idx`, `title_noted_idx`, `title_in_work_idx` with one, and
`title_words_idx` (GIN) for words that few titles have. For words that many titles have, PostgreSQL goes along the order instead.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from marquee.domain.lifecycle import DELETED_TITLES
from marquee.errors import TitleUnknown
from marquee.stores.catalogue.postgres.changes import COLUMNS, title_of
from marquee.stores.catalogue.postgres.notes import read_notes
from marquee.stores.catalogue.values import ListedTitle, TitlePosition, TitleQuery, Version
from marquee.stores.schema.tables.titles import NOT_DELETED
from marquee.stores.search.relevance.text import query_words

_OF_NEWEST: Final = (
    "version",
    "upload_id",
    "state",
    "stage",
    "percent",
    "speed",
    "reason",
    "run_id",
    "notes",
    "updated_at",
)
_NEWEST_COLUMNS: Final = ", ".join(f"newest.{name} AS newest_{name}" for name in _OF_NEWEST)
_PAGE: Final = f"""
    SELECT page.*, {_NEWEST_COLUMNS}, coalesce(active.notes, newest.notes) AS shown_notes, account.email AS uploaded_by
    FROM (SELECT {COLUMNS}, changed_at FROM title WHERE {{wanted}} ORDER BY changed_at DESC, movie_id DESC LIMIT :limit) AS page
    LEFT JOIN LATERAL (
        SELECT * FROM title_version AS v WHERE v.movie_id = page.movie_id ORDER BY v.version DESC LIMIT 1
    ) AS newest ON true
    LEFT JOIN title_version AS active ON active.movie_id = page.movie_id AND active.version = page.active_version
    LEFT JOIN upload ON upload.upload_id = newest.upload_id
    LEFT JOIN account ON account.account_id = upload.account_id
    ORDER BY page.changed_at DESC, page.movie_id DESC
"""  # noqa: S608
_ONE = text(_PAGE.format(wanted="movie_id = :movie_id"))


async def listed(connection: AsyncConnection, movie_id: str) -> ListedTitle:
    """Raises `TitleUnknown`, also for a deleted title."""
    row = (await connection.execute(_ONE, {"movie_id": movie_id, "limit": 1})).mappings().one_or_none()
    if row is None or row["state"] in DELETED_TITLES:
        raise TitleUnknown(f"There is no title {movie_id}.", field="movie_id")
    return _made(row)


async def page(
    connection: AsyncConnection, query: TitleQuery, *, limit: int, after: TitlePosition | None
) -> Sequence[ListedTitle]:
    """The titles behind `after`."""
    sql, parameters = statement(query, limit=limit, after=after)
    return [_made(row) for row in (await connection.execute(text(sql), parameters)).mappings()]


def statement(query: TitleQuery, *, limit: int, after: TitlePosition | None) -> tuple[str, dict[str, object]]:
    """A page's statement and its parameters."""
    wanted, parameters = _condition(query, after)
    return _PAGE.format(wanted=wanted), {**parameters, "limit": limit}


def _condition(query: TitleQuery, after: TitlePosition | None) -> tuple[str, dict[str, object]]:
    """The WHERE clause and its parameters. What a partial index asks for stands in the text: a parameter would not match it."""
    terms: dict[str, dict[str, object]] = {}
    if query.state not in DELETED_TITLES:
        terms[NOT_DELETED] = {}
    if query.state is not None:
        terms["state = :state"] = {"state": query.state}
    if query.with_notes:
        terms["noted"] = {}
    if query.in_work:
        terms["in_work"] = {}
    if words := query_words(query.text):
        terms["words @@ CAST(:words AS tsquery)"] = {"words": " & ".join(f"{_quoted(word)}:*" for word in words)}
    if after is not None:
        terms["(changed_at, movie_id) < (CAST(:changed_at AS timestamptz), :movie_id)"] = vars(after)
    return " AND ".join(terms), {name: value for parameters in terms.values() for name, value in parameters.items()}


def _quoted(word: str) -> str:
    """A word as a tsquery takes it, whatever signs it has."""
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


def _made(row: RowMapping) -> ListedTitle:
    columns = dict(row)
    newest = {name: columns.pop(f"newest_{name}") for name in _OF_NEWEST}
    shown, uploaded_by, changed_at = (columns.pop(name) for name in ("shown_notes", "uploaded_by", "changed_at"))
    title = title_of(columns)
    version = None
    if newest["version"] is not None:
        version = Version(movie_id=title.movie_id, notes=read_notes(newest.pop("notes")), **newest)
    return ListedTitle(title, changed_at, version, uploaded_by, read_notes(shown or {}))
