"""`python -m api.server --host HOST --port PORT`: one process of the API, which is granian inside this process.

Granian's own command has a process that only watches its worker. Here the supervisor watches, so one process is enough, and
a killed process takes nothing else with it. SIGTERM and SIGHUP drain the process first (`api.draining`): it loses no
request. SIGINT, and a second SIGTERM, stop it at once; requests that it is answering have STOP_SECONDS.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any, Final

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from api.app import create_app
from api.draining import Draining
from marquee.logs import get_logger

STOP_SECONDS: Final = 5.0
"""From the end of the drain. A request that takes longer is cut off."""
BACKLOG: Final = 1024

log = get_logger()


async def serve(host: str, port: int) -> bool:
    """Serve until a signal. Returns whether every request was answered. Raises `SettingsInvalid`, which names the setting."""
    app = Draining(create_app())
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
    )
    drain, stop = asyncio.Event(), asyncio.Event()

    def asked_to_drain() -> None:
        (stop if drain.is_set() else drain).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, asked_to_drain)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    serving = asyncio.create_task(server.serve())
    await _first(serving, drain.wait(), stop.wait())
    if drain.is_set() and not stop.is_set() and not serving.done():
        log.info("draining: this process of the API stops when no more requests arrive")
        await _first(serving, app.finish(), stop.wait())
    server.stop()  # type: ignore[no-untyped-call]
    done, _ = await asyncio.wait({serving}, timeout=STOP_SECONDS)
    if done:
        serving.result()
    else:
        log.warning(f"stopped with requests that took longer than {STOP_SECONDS:.0f} s")
    return bool(done)


async def _first(serving: asyncio.Task[None], *waited: Coroutine[Any, Any, object]) -> None:
    """Return as soon as the server has ended, or one of the others has."""
    tasks = [asyncio.create_task(each) for each in waited]
    await asyncio.wait([serving, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


def main() -> None:
    """Run one process of the API; exit with 1 if it could not serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    is_clean = uvloop.run(serve(asked.host, asked.port))
    if not is_clean:
        sys.stdout.flush()
        os._exit(0)  # granian's thread still waits for the requests that were cut off


if __name__ == "__main__":
    main()
