"""A PostgreSQL URL as this project takes it: libpq's own parameters, and `pool_size`, which is ours alone.

Apart from `postgres`, so that whoever only connects need not load SQLAlchemy.
"""

from typing import Final

POOL_PARAMETER: Final = "pool_size"


def libpq_url(url: str) -> str:
    """The URL without `pool_size`: libpq refuses a parameter that it does not know."""
    before, _, query = url.partition("?")
    kept = [pair for pair in query.split("&") if pair and pair.partition("=")[0] != POOL_PARAMETER]
    return f"{before}?{'&'.join(kept)}" if kept else before
