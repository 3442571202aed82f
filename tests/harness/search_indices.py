"""Lists and removes search indices on a real Elasticsearch, without the store."""

import json
from collections.abc import Sequence

from marquee.stores.search.elasticsearch.client import open_client
from marquee.stores.search.elasticsearch.url import parse_target


async def indices_of(url: str) -> list[str]:
    """The names of the indices that a search URL's index has."""
    target = parse_target(url)
    client = open_client(target)
    try:
        answer = await client.indices.get_alias(index=f"{target.alias}-*")
        return sorted(json.loads(answer.body))
    finally:
        await client.close()


async def remove_indices(urls: Sequence[str]) -> None:
    for url in urls:
        client = open_client(parse_target(url))
        try:
            for name in await indices_of(url):
                await client.indices.delete(index=name)
        finally:
            await client.close()
