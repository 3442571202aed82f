"""The least work that can store a progress write: one ASGI function on granian, psycopg's pool and one upsert.

The upsert and the access to PostgreSQL are the API's. The function checks no token, validates nothing and has no
routes: the difference between its rate and the API's is the cost of those.
"""

import os
from typing import Any

import msgspec
from psycopg_pool import AsyncConnectionPool

_UPSERT = """
    INSERT INTO resume_position AS kept (user_id, movie_id, event_time_ms, position_ms)
    VALUES (%s, %s, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, %s)
    ON CONFLICT (user_id, movie_id) DO UPDATE
    SET event_time_ms = excluded.event_time_ms, position_ms = excluded.position_ms
    WHERE (excluded.event_time_ms, excluded.position_ms) > (kept.event_time_ms, kept.position_ms)
"""
_pool: list[AsyncConnectionPool] = []


class _Body(msgspec.Struct):
    movie_id: str
    position_seconds: float


_decode = msgspec.json.Decoder(_Body).decode


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Store the position of the request's body and answer 204."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    if scope["method"] == "POST":
        message = await receive()
        progress = _decode(message["body"])
        async with _pool[0].connection() as connection:
            await connection.execute(
                _UPSERT, ("p_bare", progress.movie_id, round(progress.position_seconds * 1000)), prepare=True
            )
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _live(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            pool = AsyncConnectionPool(
                os.environ["BENCH_DATABASE"], open=False, min_size=16, max_size=16, kwargs={"autocommit": True}
            )
            await pool.open(wait=True)
            _pool.append(pool)
            await send({"type": "lifespan.startup.complete"})
        else:
            await _pool[0].close()
            await send({"type": "lifespan.shutdown.complete"})
            return
