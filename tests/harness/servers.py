"""Real engines for tests: each is started once per test process, on free ports, in a folder of its own."""

import asyncio
import contextlib
import dataclasses
import os
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from marquee.errors import PlatformUnavailable
from marquee.platform import local_engines
from marquee.platform.cluster_engines import instances as engine_instances
from marquee.platform.cluster_engines.engine import Engine, EngineHome
from marquee.platform.local_engines import wait_until_ready
from marquee.platform.programs import s3_proxy
from marquee.platform.supervisor.program import Program
from marquee.platform.supervisor.supervisord import environment
from marquee.ports import PORT_OFFSETS
from marquee.settings import Settings, load_settings

FIRST_PORT, LAST_PORT = 10_000, 15_000
"""Below those of `marquee.platform.cluster_engines`. Each of pytest's workers has a part to itself:
what one has found free, another could take before it is used."""


def free_port_base() -> int:
    """A port from which every offset of `PORT_OFFSETS` is free."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    width = (LAST_PORT - FIRST_PORT) // workers
    for _ in range(1000):
        base = FIRST_PORT + number * width + secrets.randbelow(width - max(PORT_OFFSETS.values()))
        with contextlib.ExitStack() as sockets:
            try:
                for offset in PORT_OFFSETS.values():
                    probe = sockets.enter_context(socket.socket())
                    probe.bind(("127.0.0.1", base + offset))
            except OSError:
                continue
            return base
    raise RuntimeError("no run of free ports was found")


def make_test_settings(state: Path, **overrides: object) -> Settings:
    """Settings of a platform of its own: free ports, fresh secrets, small limits."""
    values: dict[str, object] = {
        "state": state,
        "port_base": free_port_base(),
        "postgres_password": secrets.token_hex(8),
        "s3_access_key": secrets.token_hex(8),
        "s3_secret_key": secrets.token_hex(16),
        "s3_published_access_key": secrets.token_hex(8),
        "s3_published_secret_key": secrets.token_hex(16),
        "s3_edge_access_key": secrets.token_hex(8),
        "s3_edge_secret_key": secrets.token_hex(16),
        "cursor_secret": secrets.token_hex(16),
        "edge_secret": secrets.token_hex(16),
        **overrides,
    }
    return load_settings(**values)


@contextlib.contextmanager
def running(program: Program, log_folder: Path, *, seconds: float = 60.0) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program as the supervisor would, wait until it is ready, and stop it at the end."""
    log = log_folder / f"{program.name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            program.launch_command, stdout=output, stderr=output, env={**os.environ, **program.environment}
        )
    try:
        try:
            asyncio.run(wait_until_ready(program, seconds=seconds))
        except Exception as error:
            error.add_note(log.read_text(errors="replace")[-2000:])
            raise
        yield process
    finally:
        process.send_signal(signal.SIGINT if program.interrupt else signal.SIGTERM)
        try:
            process.wait(program.stop_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def running_s3(settings: Settings) -> Iterator[None]:
    """SeaweedFS and its public endpoint: the proxy, and the program that ends slow requests."""
    programs = (local_engines.seaweedfs, s3_proxy.s3_pace, s3_proxy.s3_proxy)
    with contextlib.ExitStack() as stack:
        for program in programs:
            made = program(settings)
            told = {"MARQUEE_STATE": str(settings.state), **environment(settings), **made.environment}
            stack.enter_context(running(dataclasses.replace(made, environment=told), settings.state))
        yield


@contextlib.contextmanager
def running_engine(engine: Engine, folder: Path) -> Iterator[Mapping[str, str]]:
    """Start an engine under its own supervisor, as `marquee engines up` does; returns the settings for a platform."""
    settings = load_settings(state=folder)
    fetched_or_skipped(engine, settings)
    try:
        yield asyncio.run(engine_instances.up(settings, [engine], on_event=lambda _: None, tied=True))
    finally:
        asyncio.run(engine_instances.down(settings, [engine], on_event=lambda _: None))


def home_of(engine: Engine, settings: Settings) -> EngineHome:
    """An instance on the ports of these settings, for a test that starts and kills its program itself."""
    ports = [settings.port(name) for name in PORT_OFFSETS]
    return EngineHome(settings, dict(zip(engine.port_names, ports, strict=False)))


def program_of(engine: Engine, settings: Settings) -> Program:
    """The one program of such an instance."""
    fetched_or_skipped(engine, settings)
    [program] = engine.programs(home_of(engine, settings))
    return program


def fetched_or_skipped(engine: Engine, settings: Settings) -> None:
    """Fetch the engine's files. Skips the test if they are not in the cache and Maven is missing."""
    try:
        engine.fetch(settings)
    except PlatformUnavailable as error:
        if shutil.which("mvn") is None:
            pytest.skip(str(error))
        raise
