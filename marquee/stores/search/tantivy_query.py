"""The Tantivy schema, how a document is laid into it, and the query that finds candidates.

Field `names` holds the words of title and alternative titles together (a sparse field of its own would have a meaningless
mean length), `joined` their neighbouring words written as one, `whole` each name as one key. Every clause of a query has a
constant score, so that a hit's score depends on the document and the query alone, never on what else is in the index: pages
hold while it changes. A word scores by its best clause (a disjunction maximum) times its weight; the sum times a mild prior.
`ranking` then orders the best candidates by how well they really match.
"""

import hashlib
import math
from collections.abc import Sequence

import msgspec
import tantivy
from tantivy import FieldType, Occur, Query

from marquee.documents import SearchDocument
from marquee.stores.search.contract import SearchFilters
from marquee.stores.search.ranking import prepare
from marquee.stores.search.text import joined_pairs, query_words, stem, whole, words

PRIOR_PER_POPULARITY = 0.045
"""A title of 100,000 votes (popularity 11.5) counts 1.5 times one of none among candidates."""
PRIOR_SPREAD = 1e-3
"""By id, so that few candidates have quite equal scores and a page boundary seldom falls among equals."""
PREFIX_MIN = 1
EXACT, JOINED, PREFIX, FUZZY_1, FUZZY_PREFIX, FUZZY_2 = 1.0, 0.95, 0.8, 0.75, 0.6, 0.55
PEOPLE, PEOPLE_FUZZY, GENRE, DESCRIPTION = 0.8, 0.6, 0.6, 0.45
WHOLE_NAME = 0.6
"""Added to the sum of the words' weights where the whole name is what was typed."""


def schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("movie_id", tokenizer_name="raw", index_option="basic", stored=True)
    builder.add_text_field("state", tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("revision", fast=True)
    builder.add_unsigned_field("order", fast=True)
    for field in ("names", "joined", "people", "genre_words", "description"):
        builder.add_text_field(field, tokenizer_name="whitespace", index_option="basic")
    builder.add_text_field("whole", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("genre_key", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("genre", tokenizer_name="raw", index_option="basic", fast=True)
    builder.add_unsigned_field("playable", indexed=True, fast=True)
    builder.add_integer_field("year", indexed=True, fast=True)
    builder.add_float_field("prior", fast=True)
    builder.add_bytes_field("prepared", stored=True)
    builder.add_bytes_field("body", stored=True)
    return builder.build()


SCHEMA = schema()


def order_key(movie_id: str) -> int:
    """A number that orders equal scores, the same in every process."""
    return int.from_bytes(hashlib.blake2b(movie_id.encode("utf-8", "replace"), digest_size=6).digest(), "big")


def prior(popularity: float, movie_id: str) -> float:
    """The value of field `prior` that multiplies a score by the wanted factor (Tantivy takes log2(2 + value))."""
    bounded = min(max(popularity, 0.0), 20.0) if math.isfinite(popularity) else 0.0
    spread = PRIOR_SPREAD * order_key(movie_id) / 2**48
    return float(2.0 ** (1.0 + PRIOR_PER_POPULARITY * bounded + spread) - 2.0)


def names_of(document: SearchDocument) -> list[tuple[str, ...]]:
    """The words of each name of a title, the title first."""
    return [found for name in (document.title, *document.aka) if (found := words(name))]


def to_tantivy(document: SearchDocument) -> tantivy.Document:
    names = names_of(document)
    laid = tantivy.Document()
    laid.add_text("movie_id", document.movie_id)
    laid.add_text("state", "live")
    laid.add_unsigned("revision", document.revision)
    laid.add_unsigned("order", order_key(document.movie_id))
    laid.add_text("names", " ".join(word for name in names for word in name))
    laid.add_text("joined", " ".join(pair for name in names for pair in joined_pairs(name)))
    for key in {whole(name) for name in names}:
        laid.add_text("whole", key)
    laid.add_text("people", " ".join(word for person in document.people for word in words(person)))
    for genre in document.genres:
        laid.add_text("genre", genre)
        laid.add_text("genre_key", genre.casefold())
    laid.add_text("genre_words", " ".join(stem(word) for genre in document.genres for word in words(genre)))
    laid.add_text("description", " ".join(stem(word) for word in words(document.description or "")))
    laid.add_unsigned("playable", int(document.playable))
    if document.year is not None:
        laid.add_integer("year", document.year)
    laid.add_float("prior", prior(document.popularity, document.movie_id))
    laid.add_bytes("prepared", msgspec.msgpack.encode(prepare(document)))
    laid.add_bytes("body", msgspec.json.encode(document))
    return laid


def to_tombstone(movie_id: str, revision: int) -> tantivy.Document:
    """What remains of a deleted title: its id and revision, found by no query."""
    laid = tantivy.Document()
    laid.add_text("movie_id", movie_id)
    laid.add_text("state", "deleted")
    laid.add_unsigned("revision", revision)
    laid.add_unsigned("order", order_key(movie_id))
    return laid


def storable(value: str) -> str:
    """Without lone surrogates, which no index can hold."""
    return value.encode("utf-8", "ignore").decode()


# --- queries -----------------------------------------------------------------------------------------------------


def _term(field: str, value: str, score: float) -> Query:
    return Query.const_score_query(Query.term_query(SCHEMA, field, value), score)


def _fuzzy(field: str, word: str, distance: int, score: float, *, prefix: bool = False) -> Query:
    return Query.boost_query(Query.fuzzy_term_query(SCHEMA, field, word, distance=distance, prefix=prefix), score)


def distances(word: str) -> int:
    """How many edits a word may be away: none for up to two letters, one for up to five, else two."""
    return 0 if len(word) <= 2 else 1 if len(word) <= 5 else 2


def word_query(word: str, *, joined: Sequence[str], last: bool) -> Query:
    """One typed word in every field; `last`: it may still be being typed. `joined`: it with a neighbour, as one word."""
    clauses = [
        _term("names", word, EXACT),
        _term("joined", word, JOINED),
        _term("people", word, PEOPLE),
        _term("genre_words", stem(word), GENRE),
        _term("description", stem(word), DESCRIPTION),
        *(_term("names", pair, JOINED) for pair in joined),
    ]
    distance = distances(word)
    if distance >= 1:
        clauses.append(_fuzzy("names", word, 1, FUZZY_1))
    if distance >= 2:
        clauses.append(_fuzzy("names", word, 2, FUZZY_2))
    if len(word) >= 4:
        clauses.append(_fuzzy("people", word, 1, PEOPLE_FUZZY))
    if last and len(word) >= PREFIX_MIN:
        clauses.append(_fuzzy("names", word, 0, PREFIX, prefix=True))
        if len(word) >= 5:
            clauses.append(_fuzzy("names", word, 1, FUZZY_PREFIX, prefix=True))
    return Query.disjunction_max_query(clauses, 0.0)


def candidates_query(query: str, weights: Sequence[float]) -> Query | None:
    """What may be meant by a query; None where it has no words. `weights`: one a word, from `text.query_words`."""
    typed = query_words(query)
    if not typed:
        return None
    pairs = joined_pairs(typed)
    clauses = []
    for place, (word, weight) in enumerate(zip(typed, weights, strict=True)):
        neighbours = [*pairs[max(0, place - 1) : place], *pairs[place : place + 1]]
        found = word_query(word, joined=neighbours, last=place == len(typed) - 1)
        clauses.append((Occur.Should, Query.boost_query(found, weight)))
    whole_name = (Occur.Should, _term("whole", whole(typed), WHOLE_NAME * sum(weights)))
    needed = len(typed) if len(typed) <= 2 else math.floor(0.75 * len(typed))
    # Two words need both unless one of them is meant for another field or was joined: then one may miss.
    needed = max(1, needed - (1 if len(typed) == 2 else 0))
    matched = Query.boolean_query(clauses, minimum_number_should_match=needed)
    return Query.boolean_query([(Occur.Must, matched), whole_name])


def filtered(query: Query, filters: SearchFilters | None) -> Query:
    """Of the live titles, those that the filters allow; genres are alternatives, compared without case."""
    clauses = [(Occur.Must, query), (Occur.Must, Query.boost_query(LIVE, 0.0))]
    if filters is not None:
        if filters.genres:
            keys = [storable(genre.casefold()) for genre in filters.genres]
            clauses.append((Occur.Must, Query.const_score_query(Query.term_set_query(SCHEMA, "genre_key", keys), 0.0)))
        if filters.playable_only:
            clauses.append((Occur.Must, Query.const_score_query(Query.term_query(SCHEMA, "playable", 1), 0.0)))
        if filters.year_from is not None or filters.year_to is not None:
            years = Query.range_query(SCHEMA, "year", FieldType.Integer, filters.year_from, filters.year_to)
            clauses.append((Occur.Must, Query.const_score_query(years, 0.0)))
    return Query.boolean_query(clauses)


LIVE = Query.term_query(SCHEMA, "state", "live")


def prefix_query(prefix: str) -> Query | None:
    """Names that hold every word typed, the last one as a beginning."""
    typed = query_words(prefix)
    if not typed:
        return None
    *before, last = typed
    clauses = [(Occur.Must, _term("names", word, 1.0)) for word in before]
    clauses.append((Occur.Must, _fuzzy("names", last, 0, 1.0, prefix=True)))
    return Query.boolean_query(clauses)
