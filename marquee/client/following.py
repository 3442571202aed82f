"""Follows an upload through the chain until it ends: playable, or in a state in which it never will be.

Asks the API for the upload's state every `POLL_SECONDS` and hands each answer to the caller.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from marquee.client.session import ApiSession
from marquee.domain.lifecycle import ENDED
from marquee.errors import PlatformUnavailable

POLL_SECONDS = 0.5

OnState = Callable[[dict[str, Any]], None]


async def follow_upload(
    api: ApiSession, upload_id: str, *, on_state: OnState | None = None, seconds: float = 3600.0
) -> dict[str, Any]:
    """Ask for the upload's state until it has ended. Returns the last answer; `on_state` gets every answer.

    Raises `PlatformUnavailable` if the upload has not ended after `seconds`. The ingest itself goes on.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        state: dict[str, Any] = await api.get(f"/uploads/{upload_id}")
        if on_state is not None:
            on_state(state)
        if state["state"] in ENDED:
            return state
        if asyncio.get_running_loop().time() > deadline:
            raise PlatformUnavailable(
                f"{state['movie_id']} is still at {state['stage']} ({state['percent']:.0f} %) after {seconds:.0f} s."
            )
        await asyncio.sleep(POLL_SECONDS)
