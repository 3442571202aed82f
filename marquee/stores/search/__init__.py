"""The search index; the engine is chosen by the URL's scheme."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from marquee.stores.search.contract import SearchIndex
from marquee.stores.urls import scheme_of

SCHEMES = ("tantivy",)


async def open_search(url: str, *, writer: bool = False) -> SearchIndex:
    """`tantivy:///folder`: readers see what the one writer commits, in whichever process it is.

    Raises `StoreUnavailable` where `writer` is asked for and another process is it.
    """
    scheme_of(url, setting="MARQUEE_SEARCH_URL", known=SCHEMES)
    from marquee.stores.search.tantivy_index import TantivyIndex

    parts = urlsplit(url)
    index = TantivyIndex(Path(unquote(parts.netloc + parts.path)), writer=writer)
    await index.open()
    return index
