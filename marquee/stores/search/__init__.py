"""The search index; the engine is chosen by the URL's scheme."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from marquee.stores.connections.urls import ELASTICSEARCH_SCHEMES, scheme_of
from marquee.stores.search.contract import SearchIndex

SCHEMES = ("tantivy", *ELASTICSEARCH_SCHEMES)


async def open_search(url: str, *, writer: bool = False) -> SearchIndex:
    """`tantivy:///folder` or `elasticsearch://host:port/alias`: readers see what is applied, in whichever process that is.

    Raises `StoreUnavailable` where `writer` is asked for, the engine has one writer, and another process is it.
    """
    if scheme_of(url, setting="MARQUEE_SEARCH_URL", known=SCHEMES) in ELASTICSEARCH_SCHEMES:
        from marquee.stores.search.elasticsearch.index import ElasticsearchIndex
        from marquee.stores.search.elasticsearch.url import parse_target

        return ElasticsearchIndex(parse_target(url), writer=writer)
    from marquee.stores.search.tantivy.index import TantivyIndex

    parts = urlsplit(url)
    index = TantivyIndex(Path(unquote(parts.netloc + parts.path)), writer=writer)
    await index.open()
    return index
