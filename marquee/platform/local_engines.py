"""How the store engines of one machine start: PostgreSQL, two Valkeys, SeaweedFS.

Each function creates the engine's folder below the state folder (idempotent) and returns its `Program`, which the supervisor
starts. Every engine listens on loopback only; S3 on `inner_host`, because containers reach it. Clients reach S3 through its
proxy (`marquee.platform.programs.s3_proxy`). Tests start the same programs with other settings.
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
    """PostgreSQL 18 with `wal_level=logical`, which change capture needs. The first start creates its data folder."""
    folder = settings.state / "postgres"
    if not (folder / "PG_VERSION").exists():
        _create_cluster(settings, folder)
    options = {
        "port": settings.port("postgres"),
        "listen_addresses": "127.0.0.1",
        # TCP only: a unix socket's path is limited to 107 bytes, and the state folder's path may be longer.
        "unix_socket_directories": "",
        "wal_level": "logical",
        "max_connections": 200,
        "shared_buffers": "96MB",
        # Limits the write-ahead log that a change-capture slot keeps while no process reads it.
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
    # The folder is created under another name and renamed: a start that is killed leaves no incomplete data folder.
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
        raise PlatformUnavailable(f"PostgreSQL could not create its data folder {folder}: {done.stderr.strip()[-600:]}")
    making.rename(folder)


async def _nothing() -> None:
    return None


def valkey_cache(settings: Settings) -> Program:
    """The row cache: at most 128 MB of memory, LRU eviction, nothing on disk."""
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
    """The event log, locks and limits: nothing is evicted, and every acknowledged write is on disk (AOF, fsync always)."""
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
        # A hand-written PING: importing the client library takes as long as Valkey takes to start.
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
    """S3: one process that is master, volume server, filer and gateway. Every request needs a login (`s3_logins`)."""
    folder = settings.state / "seaweedfs"
    folder.mkdir(parents=True, exist_ok=True)
    run_folder(settings).mkdir(exist_ok=True)
    logins = configuration(settings, "seaweedfs-s3.json", json.dumps(identities(settings)))
    port = settings.port
    command = (
        str(binaries.seaweedfs()),
        # Volumes of 1 GB, created when needed. The default reserves eight volumes for each bucket.
        *("server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder}", "-volume.max=0"),
        *("-master.volumeSizeLimitMB=1024", "-master.telemetry=false", "-volume.index=leveldb"),
        # There is only one master, so the election may be short. With the default of 10 s a restart takes 20 s.
        *("-master.electionTimeout=1s", "-master.heartbeatInterval=200ms"),
        # Only this process uses the volume server, so a stop need not wait 10 s until others miss its heartbeat.
        "-volume.preStopSeconds=0",
        *(f"-master.port={port('s3_master')}", f"-master.port.grpc={port('s3_master_grpc')}"),
        *(f"-volume.port={port('s3_volume')}", f"-volume.port.grpc={port('s3_volume_grpc')}"),
        *("-filer", f"-filer.port={port('s3_filer')}", f"-filer.port.grpc={port('s3_filer_grpc')}"),
        *("-s3", f"-s3.port={port('s3_inner')}", f"-s3.port.grpc={port('s3_grpc')}", f"-s3.config={logins}"),
        f"-s3.ip.bind={settings.inner_host}",
        # Further listeners: by default on fixed ports and in the shared /tmp. They are disabled or moved.
        *("-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false"),
        f"-filer.localSocket={socket_path(settings, 'filer.sock')}",
        f"-s3.localSocket={socket_path(settings, 's3.sock')}",
    )

    async def ready() -> None:
        await answers(f"{settings.inner('s3_inner')}/healthz")
        # The gateway answers before the filer behind it does.
        await answers(f"{settings.loopback('s3_filer')}/")

    environment = {
        "GOMAXPROCS": str(min(2, os.cpu_count() or 1)),
        "GOMEMLIMIT": "384MiB",
        **grpc_lock(settings),
    }
    # SIGKILL after 2 s: on SIGTERM the volume server flushes and stops within milliseconds. The filer then waits 15 s for
    # the gateway's stream, which never ends because the gateway is in the same process. The filer's store is a write-ahead
    # log, so the SIGKILL loses nothing.
    return Program(
        name="seaweedfs",
        command=command,
        ready=ready,
        stage=10,
        environment=environment,
        stop_seconds=2,
        port=port("s3_inner"),
    )


async def wait_until_ready(program: Program, *, seconds: float, interval: float = 0.05) -> None:
    """Call `program.ready` every `interval` seconds until it returns.

    Raises `PlatformUnavailable` with the last error after `seconds`.
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
