"""The Elasticsearch mapping, and how a title is laid into it.

Words come ready from `fields`, so each is a keyword: nothing is analysed, no plugin is needed, and any distribution does. A title
is the document `movie_id` whose external version is its `versions.version`; a deleted one leaves a document of the state
`deleted`, since Elasticsearch itself forgets a delete's version after `index.gc_deletes` and at every restart. Of the source
only what a search gives back is stored: the whole title, and its words prepared for `ranking`.
"""

from typing import Any, Final

from marquee.documents import SearchDocument
from marquee.stores.search.relevance.fields import fields_of
from marquee.stores.search.relevance.ranking import prepare
from marquee.stores.search.versions import Change, version_of

SCHEMA_VERSION: Final = 1
"""Part of the names: an index of another schema is not read, and the sync builds a new one."""
MAX_BEGINNING_CHARACTERS: Final = 20

_WORDS: Final = {"type": "keyword", "doc_values": False}
_STORED: Final = {"type": "object", "enabled": False}

MAPPING: Final[dict[str, Any]] = {
    "dynamic": "strict",
    "_source": {"includes": ["document", "prepared"]},
    "properties": {
        "state": _WORDS,
        # Counted, for how common a word is.
        "names": {"type": "keyword"},
        "beginnings": _WORDS,
        "joined": _WORDS,
        "whole": _WORDS,
        "people": _WORDS,
        "genre_words": _WORDS,
        "description": _WORDS,
        "genre_key": _WORDS,
        "genre": {"type": "keyword", "ignore_above": 200},
        "playable": {"type": "boolean"},
        "year": {"type": "integer"},
        "prior": {"type": "float", "index": False},
        "order": {"type": "long", "index": False},
        "document": _STORED,
        "prepared": _STORED,
    },
}


def index_settings(replicas: int | None) -> dict[str, Any]:
    """One shard: 600,000 titles are half a gigabyte. An acknowledged write is on disk (the default, said aloud)."""
    copies = {"auto_expand_replicas": "0-1"} if replicas is None else {"number_of_replicas": replicas}
    return {
        "number_of_shards": 1,
        **copies,
        "translog.durability": "request",
        # A batch refreshes when it is applied; this is for what a refused or killed one left behind.
        "refresh_interval": "5s",
    }


def to_source(change: Change) -> dict[str, Any]:
    """The body of a title's document."""
    if not isinstance(change, SearchDocument):
        return {"state": "deleted"}
    fields = fields_of(change)
    return {
        "state": "live",
        "names": fields.names,
        "beginnings": beginnings(fields.names),
        "joined": fields.joined,
        "whole": fields.whole,
        "people": fields.people,
        "genre_words": fields.genre_words,
        "description": fields.description,
        "genre_key": fields.genre_keys,
        "genre": change.genres,
        "playable": change.playable,
        "year": change.year,
        "prior": fields.prior,
        "order": fields.order,
        "document": change,
        "prepared": prepare(change),
    }


def beginnings(words: list[str]) -> list[str]:
    """Every beginning of every word, once: what is typed so far is one of them."""
    return list({word[:end]: None for word in words for end in range(1, min(len(word), MAX_BEGINNING_CHARACTERS) + 1)})


def operation(change: Change) -> dict[str, Any]:
    """The line before the body in a bulk: refused unless it is newer than what the index has."""
    return {"index": {"_id": change.movie_id, "version": version_of(change), "version_type": "external"}}
