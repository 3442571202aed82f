"""Runs every process of the compose file with its service's environment only, uploads a film and plays it.

Each process has a state folder of its own, as in a container. Services listen on this machine's ports instead of network names,
and the engines are those of one machine. A setting that a service lacks is therefore found without Docker.
"""

import asyncio
import contextlib
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from marquee.platform import one_program
from marquee.platform.local_engines import wait_until_ready
from marquee.platform.project import FIXTURES
from marquee.platform.state import new_secrets
from marquee.ports import PORT_OFFSETS
from marquee.settings import Settings, load_settings
from marquee.stores.lake.arrow import arrow_is_installed
from tests.harness.compose_file import compose, environment, programs
from tests.harness.servers import free_port_base

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("processes"), pytest.mark.soak]

PROJECT = Path(__file__).parent.parent.parent
FILM = FIXTURES / "test_sar.mp4"
READY_SECONDS = 180.0
BEFORE_ALL = ("seaweedfs", "prepare")
SHARED_STATE = ("dagster-code-ingest", "dagster-code-analytics", "dagster-webserver", "dagster-daemon")


@dataclass(frozen=True)
class Stage:
    """The services' places in this test: their ports, the engines instead of the compose file's, a folder for each."""

    folder: Path
    port_base: int
    engines: dict[str, str]

    def environment(self, name: str, told: dict[str, str]) -> dict[str, str]:
        state = self.folder / ("dagster" if name in SHARED_STATE else name)
        state.mkdir(exist_ok=True)
        kept = {variable: self._here(value) for variable, value in told.items()}
        kept |= {variable: value for variable, value in self.engines.items() if variable in told}
        # Of this machine only what a container has too.
        machine = {variable: os.environ[variable] for variable in ("PATH", "LANG") if variable in os.environ}
        return {
            **machine,
            **kept,
            "HOME": str(self.folder),
            "MARQUEE_STATE": str(state),
            "MARQUEE_PORT_BASE": str(self.port_base),
        }

    def _here(self, value: str) -> str:
        """Replace the compose file's names and ports by this test's."""
        default = Settings.model_fields["port_base"].default
        ports = {default + offset: self.port_base + offset for offset in PORT_OFFSETS.values()}
        return re.sub(
            r"(://)[\w.-]+:(\d+)",
            lambda found: f"{found[1]}127.0.0.1:{ports.get(int(found[2]), int(found[2]))}",
            value,
        )


@contextlib.contextmanager
def started(name: str, variables: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `marquee run NAME` with only these variables; stop it with SIGTERM at the end."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "marquee.cli", "run", name], env=variables, stdout=output, stderr=output, cwd="/"
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{name} does not stop on SIGTERM: {log.read_text()[-1000:]}") from None


@pytest.fixture(scope="module")
def stage(
    postgres_server: Settings,
    valkey_log_server: Settings,
    valkey_cache_server: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Stage:
    folder = tmp_path_factory.mktemp("processes")
    server = postgres_server.database.rsplit("/", 1)[0]
    unique = secrets.token_hex(4)
    return Stage(
        folder,
        free_port_base(),
        {
            "MARQUEE_DATABASE_URL": f"{server}/deploy_{unique}",
            "MARQUEE_DAGSTER_DATABASE_URL": f"{server}/dagster_{unique}",
            "MARQUEE_RESUME_POSITIONS_URL": f"{server}/deploy_{unique}",
            # Databases of their own in the session's Valkeys: the topics' names are everybody's.
            "MARQUEE_EVENT_LOG_URL": f"{valkey_log_server.event_log}/7",
            "MARQUEE_COORDINATION_URL": f"{valkey_log_server.coordination}/8",
            "MARQUEE_ROW_CACHE_URL": f"{valkey_cache_server.row_cache}/7",
            "MARQUEE_SEARCH_URL": f"tantivy://{folder / 'search'}",
        },
    )


@pytest.fixture(scope="module")
def told() -> dict[str, dict[str, str]]:
    """The environment that the compose file gives each program, with one set of secrets for all."""
    return {name: environment(service) for name, service in programs(compose(new_secrets())).items()}


@pytest.fixture(scope="module")
def s3(stage: Stage, told: dict[str, dict[str, str]]) -> Iterator[None]:
    """SeaweedFS, which is a process of the platform's image too."""
    variables, log = stage.environment("seaweedfs", told["seaweedfs"]), stage.folder / "seaweedfs.log"
    with started("seaweedfs", variables, log):
        _await_ready("seaweedfs", variables, log)
        yield


@pytest.fixture(scope="module")
def prepared(stage: Stage, s3: None, told: dict[str, dict[str, str]]) -> Stage:
    for _ in range(2):  # again harmlessly
        done = subprocess.run(
            [sys.executable, "-m", "marquee.cli", "prepare"],
            env=stage.environment("prepare", told["prepare"]),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return stage


@pytest.fixture(scope="module")
def running(prepared: Stage, told: dict[str, dict[str, str]]) -> Iterator[Stage]:
    """Every process, each ready by its own readiness probe."""
    with contextlib.ExitStack() as stack:
        processes = []
        for name, variables in told.items():
            if name not in BEFORE_ALL:
                environment_ = prepared.environment(name, variables)
                log = prepared.folder / f"{name}.log"
                processes.append(stack.enter_context(started(name, environment_, log)))
        never_ready = () if arrow_is_installed() else ("event-sink",)
        for name, variables in told.items():
            if name not in (*BEFORE_ALL, *never_ready):
                _await_ready(name, prepared.environment(name, variables), prepared.folder / f"{name}.log")
        yield prepared
        for process in processes:  # all at once: each is waited for afterwards
            process.terminate()


def _await_ready(name: str, variables: dict[str, str], log: Path) -> None:
    values = {
        variable.removeprefix("MARQUEE_").lower(): value
        for variable, value in variables.items()
        if variable.startswith("MARQUEE_")
    }
    found = one_program.program(load_settings(**values), name)
    try:
        asyncio.run(wait_until_ready(found, seconds=READY_SECONDS))
    except Exception as error:
        error.add_note(log.read_text(errors="replace")[-3000:])
        raise


def test_a_film_goes_in_and_comes_out(running: Stage, told: dict[str, dict[str, str]]) -> None:
    door = f"http://127.0.0.1:{running.port_base}"
    client = {
        **running.environment("client", {}),
        "MARQUEE_PUBLIC_URL": door,
        "MARQUEE_EMAIL": told["prepare"]["MARQUEE_EMAIL"],
        "MARQUEE_PASSWORD": told["prepare"]["MARQUEE_PASSWORD"],
    }
    done = subprocess.run(
        [sys.executable, "-m", "marquee.cli", "upload", str(FILM), "--title", "By Itself", "--hot", "--wait", "--json"],
        env=client,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    logs = "\n".join(f"{log.name}: {log.read_text(errors='replace')[-800:]}" for log in running.folder.glob("*.log"))
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{logs}"
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["state"] == "playable"
    with httpx.Client(base_url=door, timeout=20) as http:
        session = http.post(
            "/api/v1/sessions", json={"email": client["MARQUEE_EMAIL"], "password": client["MARQUEE_PASSWORD"]}
        )
        http.headers["Authorization"] = f"Bearer {session.json()['access_token']}"
        stream = http.get("/api/v1/stream", params={"movie_id": last["movie_id"]}).json()
        master = httpx.get(stream["stream_url"])
        assert master.status_code == 200, "an edge serves it under the API's signature"
        assert master.headers["X-Cache"] == "HIT", "Dagster filled the edges, at the address that it was told"
        found = http.get("/api/v1/search", params={"q": "by itselv"}).json()["results"]
        assert last["movie_id"] in [item["movie_id"] for item in found]
    s3 = f"http://127.0.0.1:{running.port_base + PORT_OFFSETS['s3']}/marquee-published"
    path = urlsplit(stream["stream_url"]).path.split("/", 4)[4]
    assert httpx.get(f"{s3}/{path}").status_code == 403, "S3 itself gives to nobody what an edge gives for a signature"
    assert httpx.get(f"{door}/", timeout=10).headers["content-security-policy"], (
        "the gateway has the web client behind it"
    )


def test_a_program_that_was_not_told_enough_says_what_is_missing(stage: Stage, told: dict[str, dict[str, str]]) -> None:
    variables = {name: value for name, value in told["edge-1"].items() if name != "MARQUEE_EDGE_SECRET"}
    done = subprocess.run(
        [sys.executable, "-m", "marquee.cli", "run", "edge-1"],
        env=stage.environment("untold", variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "MARQUEE_EDGE_SECRET is not set, and edge-1 needs" in done.stderr
    assert "Traceback" not in done.stderr


def test_ready_tells_by_its_exit_code(running: Stage, told: dict[str, dict[str, str]]) -> None:
    variables = running.environment("web", told["web"])
    ask = [sys.executable, "-m", "marquee.cli", "ready", "web"]
    assert subprocess.run(ask, env=variables, capture_output=True, timeout=60, check=False).returncode == 0
    elsewhere = {**variables, "MARQUEE_PORT_BASE": str(free_port_base())}
    done = subprocess.run(ask, env=elsewhere, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4
    assert "web is not ready" in done.stderr


def test_the_platforms_role_is_no_superuser(postgres_server: Settings, tmp_path: Path) -> None:
    """The compose file's script creates a role with the rights that the platform uses. Its SQL runs in a server of the tests."""
    script = (PROJECT / "deploy" / "postgres" / "create-role.sh").read_text()
    sql = script.split("<<'SQL'\n")[1].split("SQL\n")[0].removeprefix("\\getenv password POSTGRES_PASSWORD\n")
    unique = secrets.token_hex(4)
    role, password = f"marquee_{unique}", secrets.token_hex(8)
    statements = (
        sql.replace(":'password'", f"'{password}'")
        .replace("DATABASE marquee", f"DATABASE marquee_{unique}")
        .replace("DATABASE dagster", f"DATABASE dagster_{unique}")
        .replace("ROLE marquee", f"ROLE {role}")
        .replace("OWNER marquee", f"OWNER {role}")
    )
    server = postgres_server.database.rsplit("/", 1)[0]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        for statement in filter(None, (line.strip() for line in statements.split(";"))):
            if "CURRENT_USER" not in statement:  # this server's superuser keeps its password
                connection.execute(statement.encode())
        superuser = connection.execute("select rolsuper from pg_roles where rolname = %s", [role]).fetchone()
    assert superuser == (False,)
    own = f"postgresql://{role}:{password}@{server.rsplit('@', 1)[1]}"
    from marquee.stores.change_capture.slot import drop_slot_if_lost
    from marquee.stores.schema.migrate import ensure_database, migrate

    migrate(f"{own}/marquee_{unique}")
    ensure_database(f"{own}/dagster_{unique}")
    asyncio.run(drop_slot_if_lost(f"{own}/marquee_{unique}", f"slot_{unique}"))
    with psycopg.connect(f"{own}/marquee_{unique}", autocommit=True) as connection:
        connection.execute("select pg_create_logical_replication_slot(%s, 'pgoutput')", [f"slot_{unique}"])
        connection.execute("select pg_drop_replication_slot(%s)", [f"slot_{unique}"])
