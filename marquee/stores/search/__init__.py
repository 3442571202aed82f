"""The search index. The URL's scheme chooses the engine: `tantivy:///folder` or `elasticsearch://host:port/alias`."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from marquee.stores.connections.urls import ELASTICSEARCH_SCHEMES, scheme_of
from marquee.stores.search.contract import SearchIndex

SCHEMES = ("tantivy", *ELASTICSEARCH_SCHEMES)


def open_search(url: str) -> SearchIndex:
    """The index for reading, in any number of processes. A search finds every change that a writer has applied.

    Raises `SettingsInvalid` for the URL.
    """
    if _is_elasticsearch(url):
        from marquee.stores.search.elasticsearch.index import ElasticsearchIndex
        from marquee.stores.search.elasticsearch.url import parse_target

        return ElasticsearchIndex(parse_target(url), writer=False)
    from marquee.stores.search.tantivy.index import TantivyIndex

    return TantivyIndex(_folder(url), writer=False)


async def open_search_writer(url: str) -> SearchIndex:
    """The index for reading and writing.

    Raises `SettingsInvalid` for the URL, and `StoreUnavailable` if the engine allows one writer and another process is it.
    """
    if _is_elasticsearch(url):
        from marquee.stores.search.elasticsearch.index import ElasticsearchIndex
        from marquee.stores.search.elasticsearch.url import parse_target

        return ElasticsearchIndex(parse_target(url), writer=True)
    from marquee.stores.search.tantivy.index import TantivyIndex

    index = TantivyIndex(_folder(url), writer=True)
    await index.open()
    return index


def _is_elasticsearch(url: str) -> bool:
    return scheme_of(url, setting="MARQUEE_SEARCH_URL", known=SCHEMES) in ELASTICSEARCH_SCHEMES


def _folder(url: str) -> Path:
    parts = urlsplit(url)
    return Path(unquote(parts.netloc + parts.path))
