"""The least work that can store a player's events: one ASGI function on granian, and one pipeline to Valkey.

The body is the records as they are stored, one a line. The function checks nothing: the difference between its rate and the API's
is the cost of token, schema, clock, limits and the events' own form.
"""

import os
import zlib
from typing import Any

import redis.asyncio as redis

from marquee.events import TOPIC_STREAMS, VIEWING_EVENTS
from marquee.stores.event_log.valkey.records import stream_key

_client: list[Any] = []


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Append each line of the body and answer 204. The path is the records' key."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    if scope["method"] == "POST":
        key = scope["path"][1:]
        stream = stream_key(VIEWING_EVENTS, zlib.crc32(key.encode()) % TOPIC_STREAMS[VIEWING_EVENTS])
        body, is_whole = b"", False
        while not is_whole:
            message = await receive()
            body += message["body"]
            is_whole = not message.get("more_body")
        pipeline = _client[0].pipeline(transaction=False)
        for line in body.splitlines():
            pipeline.execute_command("XADD", stream, "*", "k", key, "v", line)
        await pipeline.execute()
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _live(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            port = int(os.environ["BENCH_VALKEY_PORT"])
            _client.append(redis.Redis.from_pool(redis.BlockingConnectionPool(port=port, max_connections=64)))
            await send({"type": "lifespan.startup.complete"})
        else:
            await _client[0].aclose()
            await send({"type": "lifespan.shutdown.complete"})
            return
