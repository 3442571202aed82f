"""A dozen titles that are hard to tell apart or to spell, and a helper that searches for them."""

from collections.abc import Sequence

from marquee.documents import SearchDocument
from marquee.stores.search.contract import SearchIndex

TITLES: Sequence[tuple[str, str, dict[str, object]]] = (
    ("matrix", "The Matrix", {"year": 1999, "genres": ["Action", "Science Fiction"], "people": ["Keanu Reeves"]}),
    ("reloaded", "The Matrix Reloaded", {"year": 2003, "genres": ["Action"], "people": ["Keanu Reeves"]}),
    ("amelie", "Le Fabuleux Destin d'Amélie Poulain", {"year": 2001, "aka": ["Amelie"], "genres": ["Comedy"]}),
    ("spider", "Spider-Man", {"year": 2002, "genres": ["Action"], "popularity": 9.0}),
    ("wargames", "WarGames", {"year": 1983, "genres": ["Thriller"]}),
    ("oceans", "Ocean's Eleven", {"year": 2001, "genres": ["Crime"]}),
    ("rocky2", "Rocky II", {"year": 1979, "genres": ["Drama"]}),
    ("rocky", "Rocky", {"year": 1976, "genres": ["Drama"], "popularity": 3.0}),
    ("it", "It", {"year": 2017, "genres": ["Horror"]}),
    ("akira", "アキラ", {"year": 1988, "aka": ["Akira"], "genres": ["Animation"]}),
    ("reindeer", "Prancer", {"year": 1989, "description": "A girl finds a wounded reindeer in the snow."}),
    ("unknown", "Untitled", {"genres": [], "playable": False}),
)


def document(movie_id: str, title: str, revision: int = 1, **fields: object) -> SearchDocument:
    return SearchDocument(movie_id=movie_id, revision=revision, title=title, **{"playable": True, **fields})  # type: ignore[arg-type]


async def found(index: SearchIndex, query: str, **options: object) -> list[str]:
    page = await index.search(query, **options)  # type: ignore[arg-type]
    return [hit.document.movie_id for hit in page.hits]
