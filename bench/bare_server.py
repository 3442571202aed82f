"""`python -m bench.bare_server MODULE PORT`: `MODULE:app` on granian inside one process, as `api.server` runs the API."""

import asyncio
import importlib
import signal
import sys

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server


async def serve(module: str, port: int) -> None:
    server = Server(
        importlib.import_module(module).app,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
