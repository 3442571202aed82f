"""Starts what is measured: an engine that comes by Maven, API and gateway on one machine's engines, or a baseline's server.

Each runs until its `with` block ends. An engine raises `PlatformUnavailable` if it is not installed and cannot be
fetched.
"""

import asyncio
import contextlib
import dataclasses
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import httpx
from pydantic import SecretStr

from marquee import token_keys
from marquee.platform import local_engines
from marquee.platform.cluster_engines import instances as engine_instances
from marquee.platform.cluster_engines.names import chosen
from marquee.platform.programs import applications, gateway
from marquee.platform.supervisor.program import Program
from marquee.settings import Settings, load_settings
from marquee.stores.opened import open_stores
from marquee.stores.schema.migrate import migrate
from tests.harness.api.serving import environment_of
from tests.harness.servers import make_test_settings, running

BARE_SECONDS: Final = 60


@contextlib.contextmanager
def engine(name: str, folder: Path) -> Iterator[tuple[dict[str, str], list[int]]]:
    """An engine that comes by Maven: its URLs and its processes. Raises `PlatformUnavailable`."""
    settings, asked = load_settings(state=folder), chosen([name])
    for each in asked:
        each.fetch(settings)
    urls = asyncio.run(engine_instances.up(settings, asked, on_event=lambda _: None, tied=True))
    try:
        yield dict(urls), [each.pid for each in asyncio.run(engine_instances.observe(settings, asked))]
    finally:
        asyncio.run(engine_instances.down(settings, asked, on_event=lambda _: None))


@contextlib.contextmanager
def platform(folder: Path, **overrides: object) -> Iterator[tuple[Settings, dict[str, int]]]:
    """API and gateway on the engines of one machine, or on those whose URLs are in `overrides`; and the pid of each process."""
    # A bench sends from one address and one account as much as the machine can take.
    settings = make_test_settings(folder, **{"rate_limit_scale": 1000.0, **overrides}).model_copy(
        update={"token_private_key": SecretStr(token_keys.generate_private_key())}
    )
    with contextlib.ExitStack() as stack:
        pids = {}

        def start(program: Program) -> None:
            told = dataclasses.replace(program, environment={**program.environment, **environment_of(settings)})
            pids[program.name] = stack.enter_context(running(told, settings.state, seconds=90)).pid

        for engine in (
            local_engines.postgres,
            local_engines.valkey_cache,
            local_engines.valkey_log,
            local_engines.seaweedfs,
        ):
            start(engine(settings))
        migrate(settings.database)
        asyncio.run(_ready(settings))
        start(applications.api(settings))
        start(gateway.gateway(settings))
        yield settings, pids


@contextlib.contextmanager
def bare_handler(command: Callable[[int], list[str]], **environment: str) -> Iterator[tuple[str, int]]:
    """The URL and the pid of a baseline's server. `command`: what starts it on a port. Raises `TimeoutError`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(command(port), env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + BARE_SECONDS
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{port}/").status_code == 204:
                    break
            if time.monotonic() > deadline:
                raise TimeoutError("the bare handler did not start")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(10)


async def _ready(settings: Settings) -> None:
    async with open_stores(settings, search_writer=True) as stores:
        await stores.objects.ensure_bucket()
        await stores.published.ensure_bucket()
