"""How each store engine of one machine starts: PostgreSQL, two Valkeys, SeaweedFS.

Each function prepares the engine's folder below the state folder (idempotent) and returns its `Program`. All listen on
loopback alone, but for S3, one of the public doors. Tests start the very same programs with other settings.
"""

import asyncio
import json
import os
import subprocess
from pathlib import Path

import psycopg

from marquee.errors import PlatformUnavailable
from marquee.platform.programs import binaries
from marquee.platform.s3_grpc import grpc_lock
from marquee.platform.s3_logins import identities
from marquee.platform.state import configuration, run_folder, socket_path
from marquee.platform.supervisor.probes import PROBE_SECONDS, answers
from marquee.platform.supervisor.program import Program
from marquee.settings import Settings


def postgres(settings: Settings) -> Program:
    """PostgreSQL 18 with `wal_level=logical` for change capture; creates the cluster at the first start."""
    folder = settings.state / "postgres"
    if not (folder / "PG_VERSION").exists():
        _create_cluster(settings, folder)
    options = {
        "port": settings.port("postgres"),
        "listen_addresses": "127.0.0.1",
        # Only TCP: a socket's path may not be longer than 107 bytes, and a state folder's may.
        "unix_socket_directories": "",
        "wal_level": "logical",
        "max_connections": 200,
        "shared_buffers": "96MB",
        # Bounds what a change-capture slot that nobody reads may hold back.
        "max_slot_wal_keep_size": "1GB",
        "max_wal_size": "512MB",
        "wal_sender_timeout": "10s",
        "idle_in_transaction_session_timeout": "60s",
        "jit": "off",
    }
    arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    async def ready() -> None:
        url = f"postgresql://marquee:{settings.postgres_password.get_secret_value()}@127.0.0.1:{settings.port('postgres')}/postgres"
        connection = await psycopg.AsyncConnection.connect(url, connect_timeout=int(PROBE_SECONDS))
        async with connection:
            await connection.execute("select 1")

    return Program(
        name="postgres",
        command=(str(binaries.postgres("postgres")), "-D", str(folder), *arguments),
        ready=ready,
        stage=10,
        unprivileged=True,
        interrupt=True,
        stop_seconds=20,
        port=settings.port("postgres"),
    )


def _create_cluster(settings: Settings, folder: Path) -> None:
    # Made beside and renamed, so that a start that is killed half-way leaves no half-made cluster.
    making = folder.with_suffix(".making")
    subprocess.run(["rm", "-rf", str(making)], check=True, timeout=30)
    making.parent.mkdir(parents=True, exist_ok=True)
    password_file = making.parent / "postgres.password"
    password_file.touch(mode=0o600)
    password_file.write_text(settings.postgres_password.get_secret_value())
    program = Program(
        name="initdb",
        command=(
            str(binaries.postgres("initdb")),
            *("-D", str(making), "-U", "marquee", "--auth=scram-sha-256", "--pwfile", str(password_file)),
            *("-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        ),
        ready=_nothing,
        stage=0,
        unprivileged=True,
    )
    try:
        done = subprocess.run(program.launch_command, capture_output=True, text=True, timeout=120, check=False)
    finally:
        password_file.unlink()
    if done.returncode != 0:
        raise PlatformUnavailable(f"PostgreSQL could not create its folder {folder}: {done.stderr.strip()[-600:]}")
    making.rename(folder)


async def _nothing() -> None:
    return None


def valkey_cache(settings: Settings) -> Program:
    """The row cache: bounded memory, LRU eviction, nothing persisted."""
    options = (
        "--maxmemory",
        "128mb",
        "--maxmemory-policy",
        "allkeys-lru",
        "--save",
        "",
        "--appendonly",
        "no",
    )
    return _valkey(settings, "cache", options)


def valkey_log(settings: Settings) -> Program:
    """The event log, locks and limits: nothing evicted, every acknowledged write on disk (AOF, fsync always)."""
    options = (
        "--maxmemory-policy",
        "noeviction",
        "--save",
        "",
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
    )
    return _valkey(settings, "log", options)


def _valkey(settings: Settings, name: str, options: tuple[str, ...]) -> Program:
    folder = settings.state / f"valkey-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    port = settings.port(name)

    async def ready() -> None:
        # By hand: the client's library takes as long to import as Valkey to start.
        async with asyncio.timeout(PROBE_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"PING\r\n")
            answer = await reader.readline()
            writer.close()
        if answer != b"+PONG\r\n":
            raise PlatformUnavailable(f"Valkey does not serve yet: {answer.decode(errors='replace').strip()}")

    return Program(
        name=f"valkey-{name}",
        command=(
            str(binaries.valkey_server()),
            *("--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--protected-mode", "yes"),
            *("--daemonize", "no", *options),
        ),
        ready=ready,
        stage=10,
        port=port,
    )


def seaweedfs(settings: Settings) -> Program:
    """S3: one process that is master, volume server, filer and gateway. Nothing is answered without a login (`s3_logins`)."""
    folder = settings.state / "seaweedfs"
    folder.mkdir(parents=True, exist_ok=True)
    run_folder(settings).mkdir(exist_ok=True)
    logins = configuration(settings, "seaweedfs-s3.json", json.dumps(identities(settings)))
    port = settings.port
    command = (
        str(binaries.seaweedfs()),
        # Volumes of 1 GB, made when needed: the default would reserve eight a bucket.
        *("server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder}", "-volume.max=0"),
        *("-master.volumeSizeLimitMB=1024", "-master.telemetry=false", "-volume.index=leveldb"),
        # A master alone need not wait long for another to be elected: with the default of 10 s it comes back after 20.
        *("-master.electionTimeout=1s", "-master.heartbeatInterval=200ms"),
        # Nobody else asks this volume server: it need not wait 10 s for its heartbeat to be missed.
        "-volume.preStopSeconds=0",
        *(f"-master.port={port('s3_master')}", f"-master.port.grpc={port('s3_master_grpc')}"),
        *(f"-volume.port={port('s3_volume')}", f"-volume.port.grpc={port('s3_volume_grpc')}"),
        *("-filer", f"-filer.port={port('s3_filer')}", f"-filer.port.grpc={port('s3_filer_grpc')}"),
        *("-s3", f"-s3.port={port('s3')}", f"-s3.port.grpc={port('s3_grpc')}", f"-s3.config={logins}"),
        # Of all this only S3 is a door for clients.
        f"-s3.ip.bind={settings.bind_host}",
        # What it would open besides, on fixed ports and in the common /tmp.
        *("-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false"),
        f"-filer.localSocket={socket_path(settings, 'filer.sock')}",
        f"-s3.localSocket={socket_path(settings, 's3.sock')}",
    )

    async def ready() -> None:
        await answers(f"{settings.door('s3')}/healthz")
        # The gateway answers before the filer behind it does.
        await answers(f"{settings.loopback('s3_filer')}/")

    environment = {
        "GOMAXPROCS": str(min(2, os.cpu_count() or 1)),
        "GOMEMLIMIT": "384MiB",
        **grpc_lock(settings),
    }
    # On SIGTERM the volume server writes everything out and stops within milliseconds; the filer then waits 15 s for
    # the gateway's stream, which lies in the same process and never ends. Its store is a write-ahead log, so that
    # being killed loses nothing.
    return Program(
        name="seaweedfs",
        command=command,
        ready=ready,
        stage=10,
        environment=environment,
        stop_seconds=2,
        port=port("s3"),
    )


async def wait_until_ready(program: Program, *, seconds: float, interval: float = 0.05) -> None:
    """Ask a program until it answers.

    Raises `PlatformUnavailable` with its last words after `seconds`.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            await asyncio.wait_for(program.ready(), PROBE_SECONDS * 2)
            return
        except Exception as error:
            if asyncio.get_running_loop().time() > deadline:
                raise PlatformUnavailable(
                    f"{program.name} did not become ready in {seconds:.0f} s: {error!r}"
                ) from error
        await asyncio.sleep(interval)
