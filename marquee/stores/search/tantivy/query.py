"""The Tantivy schema, how a title becomes a document of it, and `relevance.candidates` as Tantivy queries.

Every clause of a query has a constant score. Tantivy multiplies the sum by log2(2 + fast field `prior`), so that field holds
2 ** prior - 2. A deleted title leaves its id and revision with the state `deleted`, which searches do not find.
"""

from collections.abc import Sequence

import msgspec
import tantivy
from tantivy import FieldType, Occur, Query

from marquee.documents import SearchDocument
from marquee.stores.search.contract import SearchFilters
from marquee.stores.search.relevance.candidates import Clause, candidate_clauses, completions
from marquee.stores.search.relevance.fields import fields_of, genre_key, order_key
from marquee.stores.search.relevance.ranking import prepare


def schema() -> tantivy.Schema:
    """The schema. A change of it needs a new `index.SCHEMA_VERSION`."""
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


def to_tantivy(document: SearchDocument) -> tantivy.Document:
    """The document of a title. Raises ValueError or OverflowError for a value that the schema cannot hold."""
    fields = fields_of(document)
    indexed = tantivy.Document()
    indexed.add_text("movie_id", document.movie_id)
    indexed.add_text("state", "live")
    indexed.add_unsigned("revision", document.revision)
    indexed.add_unsigned("order", fields.order)
    indexed.add_text("names", " ".join(fields.names))
    indexed.add_text("joined", " ".join(fields.joined))
    for key in fields.whole:
        indexed.add_text("whole", key)
    indexed.add_text("people", " ".join(fields.people))
    for genre in document.genres:
        indexed.add_text("genre", genre)
    for key in fields.genre_keys:
        indexed.add_text("genre_key", key)
    indexed.add_text("genre_words", " ".join(fields.genre_words))
    indexed.add_text("description", " ".join(fields.description))
    indexed.add_unsigned("playable", int(document.playable))
    if document.year is not None:
        indexed.add_integer("year", document.year)
    indexed.add_float("prior", 2.0**fields.prior - 2.0)
    indexed.add_bytes("prepared", msgspec.msgpack.encode(prepare(document)))
    indexed.add_bytes("body", msgspec.json.encode(document))
    return indexed


def to_tombstone(movie_id: str, revision: int) -> tantivy.Document:
    """The document that a deleted title leaves."""
    indexed = tantivy.Document()
    indexed.add_text("movie_id", movie_id)
    indexed.add_text("state", "deleted")
    indexed.add_unsigned("revision", revision)
    indexed.add_unsigned("order", order_key(movie_id))
    return indexed


# --- queries -----------------------------------------------------------------------------------------------------


def _clause(clause: Clause) -> Query:
    if clause.match == "exact":
        return Query.const_score_query(Query.term_query(SCHEMA, clause.field, clause.value), clause.score)
    beginning = clause.match in ("beginning", "similar beginning")
    found = Query.fuzzy_term_query(SCHEMA, clause.field, clause.value, distance=clause.edits, prefix=beginning)
    return Query.boost_query(found, clause.score)


def candidates_query(query: str, weights: Sequence[float]) -> Query | None:
    """The query for candidates; None if it has no words. `weights`: one for each word of `text.query_words`."""
    clauses_of_query = candidate_clauses(query, weights)
    if clauses_of_query is None:
        return None
    words = [
        (
            Occur.Should,
            Query.boost_query(Query.disjunction_max_query(list(map(_clause, word.clauses)), 0.0), word.weight),
        )
        for word in clauses_of_query.words
    ]
    matched = Query.boolean_query(words, minimum_number_should_match=clauses_of_query.needed)
    return Query.boolean_query([(Occur.Must, matched), (Occur.Should, _clause(clauses_of_query.whole_name))])


def filtered(query: Query, filters: SearchFilters | None) -> Query:
    """The query, limited to live titles that meet the filters. A title needs one of the genres; case does not matter."""
    clauses = [(Occur.Must, query), (Occur.Must, Query.boost_query(LIVE, 0.0))]
    if filters is not None:
        if filters.genres:
            keys = list(map(genre_key, filters.genres))
            clauses.append((Occur.Must, Query.const_score_query(Query.term_set_query(SCHEMA, "genre_key", keys), 0.0)))
        if filters.playable_only:
            clauses.append((Occur.Must, Query.const_score_query(Query.term_query(SCHEMA, "playable", 1), 0.0)))
        if filters.year_from is not None or filters.year_to is not None:
            years = Query.range_query(SCHEMA, "year", FieldType.Integer, filters.year_from, filters.year_to)
            clauses.append((Occur.Must, Query.const_score_query(years, 0.0)))
    return Query.boolean_query(clauses)


LIVE = Query.term_query(SCHEMA, "state", "live")


def prefix_query(prefix: str) -> Query | None:
    """Titles whose names complete a prefix; None if the prefix has no words."""
    clauses = [(Occur.Must, _clause(clause)) for clause in completions(prefix)]
    return Query.boolean_query(clauses) if clauses else None
