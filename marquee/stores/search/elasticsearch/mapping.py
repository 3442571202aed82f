"""The Elasticsearch mapping, and how a title becomes a document of it.

The words are made by `relevance.fields`, so every field is a keyword: Elasticsearch analyses nothing, needs no plugin, and any
distribution works. A title is the document `movie_id`, whose external version is that of `versions`. A deleted title leaves a
document with the state `deleted`, because Elasticsearch forgets the version of a delete after `index.gc_deletes` and at every
restart. The stored source has only what a search returns: the whole title, and its words prepared for `ranking`.
"""

from typing import Any, Final

from marquee.documents import SearchDocument
from marquee.stores.search.relevance.fields import fields_of
from marquee.stores.search.relevance.ranking import prepare
from marquee.stores.search.versions import Change, version_of

SCHEMA_VERSION: Final = 1
"""Part of the index names. An index of another schema is not read; the search sync then builds a new one."""
MAX_BEGINNING_CHARACTERS: Final = 20
"""Longest beginning of a word that is indexed."""

_WORDS: Final = {"type": "keyword", "doc_values": False}
_STORED: Final = {"type": "object", "enabled": False}

MAPPING: Final[dict[str, Any]] = {
    "dynamic": "strict",
    "_source": {"includes": ["document", "prepared"]},
    "properties": {
        "state": _WORDS,
        # With doc values: the words are counted to know how common each is (`weights`).
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
    """Settings of a new index. One shard: 600,000 titles take half a gigabyte.

    `replicas` None: one replica as soon as a second node exists. An acknowledged write is on disk (`request` is the default).
    """
    copies = {"auto_expand_replicas": "0-1"} if replicas is None else {"number_of_replicas": replicas}
    return {
        "number_of_shards": 1,
        **copies,
        "translog.durability": "request",
        # Every batch refreshes the index itself. This makes changes of a refused or killed batch searchable.
        "refresh_interval": "5s",
    }


def to_source(change: Change) -> dict[str, Any]:
    """The document of a title, or of its deletion."""
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
    """Every beginning of every word, once. A word that is still being typed is one of them."""
    return list({word[:end]: None for word in words for end in range(1, min(len(word), MAX_BEGINNING_CHARACTERS) + 1)})


def bulk_action(change: Change) -> dict[str, Any]:
    """The action line of a bulk. Elasticsearch refuses a version that is not newer than the index's (status 409)."""
    return {"index": {"_id": change.movie_id, "version": version_of(change), "version_type": "external"}}
