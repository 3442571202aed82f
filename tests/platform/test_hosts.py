"""A further host of a platform: which settings it must have, what it starts, where its public endpoints listen."""

import asyncio
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from marquee.errors import InputInvalid, PlatformUnavailable, SettingsInvalid
from marquee.platform import one_program
from marquee.platform.hosts import NEEDED, check_needed
from marquee.platform.programs.gateway import upstream, upstreams
from marquee.platform.state import GENERATORS, new_secrets
from marquee.platform.supervisor.supervision import Supervisor, start, stop
from marquee.platform.topology import API_PORTS, PARTS, part_of, parts
from marquee.ports import MAX_API_PROCESSES, PORT_OFFSETS
from marquee.settings import ENVIRONMENT_FILE, Settings
from marquee.token_keys import public_jwks, public_key
from tests.harness.chain import platform_settings  # noqa: F401 - a fixture
from tests.harness.servers import make_test_settings
from tests.platform.conftest import without_all_but

WORKER = ("database_url", "event_log_url", "objects_url")
CODE_SERVER = (*WORKER, "dagster_database_url", "row_cache_url", "search_url", "published_url")


def told(folder: Path, *names: str) -> Settings:
    urls = {
        "database_url": "postgresql://m:p@db/marquee",
        "event_log_url": "valkey://log",
        "objects_url": "s3://ingest",
        "dagster_database_url": "postgresql://m:p@db/dagster",
        "row_cache_url": "valkey://cache",
        "search_url": "elasticsearch://search/marquee",
        "published_url": "s3://published",
    }
    return make_test_settings(folder, **{name: urls[name] for name in names})


@pytest.mark.parametrize(("program", "needed"), [("transcode", WORKER), ("dagster-code-ingest", CODE_SERVER)])
def test_a_program_on_a_host_of_its_own_needs_these_urls_and_no_other(
    program: str, needed: tuple[str, ...], tmp_path: Path
) -> None:
    whole = told(tmp_path, *needed)
    check_needed(whole, {program})
    for missing in needed:
        settings = whole.model_copy(update={missing: ""})
        with pytest.raises(SettingsInvalid, match=f"MARQUEE_{missing.upper()} is not set, and {program} needs"):
            check_needed(settings, {program})


def test_what_runs_on_the_same_host_need_not_be_named(tmp_path: Path) -> None:
    check_needed(told(tmp_path, "event_log_url"), {"transcode", "postgres", "seaweedfs"})


def test_the_gateway_needs_only_the_public_half_of_the_key(tmp_path: Path) -> None:
    secrets = new_secrets()
    urls = {"api_url": "http://api:8410", "web_url": "http://web:8411"}
    check_needed(
        make_test_settings(tmp_path, token_public_key=secrets["MARQUEE_TOKEN_PUBLIC_KEY"], **urls), {"gateway"}
    )
    with pytest.raises(SettingsInvalid, match="MARQUEE_TOKEN_PUBLIC_KEY"):
        check_needed(make_test_settings(tmp_path, **urls), {"gateway"})
    private = secrets["MARQUEE_TOKEN_PRIVATE_KEY"]
    assert public_jwks(public_key(private)) == public_jwks(secrets["MARQUEE_TOKEN_PUBLIC_KEY"])
    with pytest.raises(SettingsInvalid, match="MARQUEE_TOKEN_PUBLIC_KEY has to be"):
        public_jwks(private)


def test_a_set_of_secrets_is_whole_and_new_each_time() -> None:
    first, second = new_secrets(), new_secrets()
    assert set(first) == {f"MARQUEE_{name.upper()}" for name in GENERATORS} | {"MARQUEE_TOKEN_PUBLIC_KEY"}
    assert not set(first.values()) & set(second.values())


@pytest.mark.parametrize(
    ("values", "warned"),
    [
        ({"only": "edge-1"}, True),
        ({"only": "edge-1,edge-logs"}, False),
        ({"only": "edge-1", "edge_log_share": 0}, False),
    ],
)
def test_an_edge_without_a_reader_of_its_log_is_warned_about(
    tmp_path: Path, values: dict[str, object], warned: bool
) -> None:
    with capture_logs() as logged:
        names = [part.name for part in parts(make_test_settings(tmp_path, **values))]
    assert ("without edge-logs" in str(logged)) is warned
    assert names == str(values["only"]).split(",")


def test_a_host_whose_edges_log_nothing_runs_no_reader(tmp_path: Path) -> None:
    assert "edge-logs" in {part.name for part in parts(make_test_settings(tmp_path))}
    assert "edge-logs" not in {part.name for part in parts(make_test_settings(tmp_path, edge_log_share=0))}


def test_every_program_named_there_is_one() -> None:
    assert set(NEEDED) <= {part.name for part in PARTS} | {"prepare"}


def test_only_and_without_choose_the_programs(tmp_path: Path) -> None:
    def names(**values: object) -> list[str]:
        return [part.name for part in parts(make_test_settings(tmp_path, **values))]

    assert names(only="transcode") == ["transcode"]
    assert names(only="edge-1,edge-2", without="edge-2") == ["edge-1"]
    assert len(names()) == len(PARTS)
    with pytest.raises(PlatformUnavailable, match="MARQUEE_ONLY names nothing, which is no program"):
        names(only="nothing")


@pytest.mark.parametrize(("only", "warned"), [("outbox", True), ("outbox,housekeeping", False), ("transcode", False)])
def test_a_list_from_before_housekeeping_was_a_program_is_warned_about(tmp_path: Path, only: str, warned: bool) -> None:
    with capture_logs() as logged:
        parts(make_test_settings(tmp_path, only=only))
    warnings = [line["event"] for line in logged if line["log_level"] == "warning"]
    assert [("without housekeeping" in warning) for warning in warnings] == ([True] if warned else [])


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://api:8410", ("api", 8410, "STRICT_DNS")),
        ("http://127.0.0.1:8410", ("127.0.0.1", 8410, "STATIC")),
        ("http://[::1]:8410/", ("::1", 8410, "STATIC")),
    ],
)
def test_envoy_finds_an_upstream_by_address_or_by_name(url: str, expected: tuple[str, int, str]) -> None:
    assert upstream(url, "MARQUEE_API_URL") == expected


def test_several_processes_of_the_api_are_named_by_commas(tmp_path: Path) -> None:
    settings = make_test_settings(tmp_path, api_url="http://10.0.0.1:8410, http://10.0.0.2:8405/", api_workers=1)
    assert upstreams(settings.apis, "MARQUEE_API_URL") == ("STATIC", [("10.0.0.1", 8410), ("10.0.0.2", 8405)])
    named = ["http://api:8410", "http://10.0.0.2:8410"]
    assert upstreams(named, "MARQUEE_API_URL")[0] == "STRICT_DNS", "a name must be resolved again"
    with pytest.raises(SettingsInvalid, match="MARQUEE_API_URL cannot be used"):
        upstreams([*named, "https://api:8410"], "MARQUEE_API_URL")


@pytest.mark.parametrize("workers", [1, 2, 5, MAX_API_PROCESSES])
def test_each_process_of_the_api_has_a_port_of_its_own(tmp_path: Path, workers: int) -> None:
    settings = make_test_settings(tmp_path, api_workers=workers)
    [part] = [part for part in parts(settings) if part.name == "api"]
    made = part.programs(settings)
    assert [program.name for program in made] == [f"api-{number}" for number in range(1, workers + 1)]
    assert [f"http://127.0.0.1:{program.port}" for program in made] == settings.apis
    assert [settings.port(name) for name in part.listeners(settings)] == [program.port for program in made]


def test_every_listener_has_a_port_of_its_own() -> None:
    assert len(set(PORT_OFFSETS.values())) == len(PORT_OFFSETS)
    four = [offset for name, offset in PORT_OFFSETS.items() if name not in API_PORTS[4:]]
    assert max(four) < 30, "a platform takes 30 ports, except on a host with more than four processes of the API"


@pytest.mark.parametrize(
    ("name", "program", "port"),
    [
        ("api", "api-1", "api"),
        ("api-1", "api-1", "api"),
        ("api-3", "api-3", "api_3"),
        ("transcode-2", "transcode-2", None),
    ],
)
def test_a_host_runs_one_program_of_a_family_by_its_name(
    tmp_path: Path, name: str, program: str, port: str | None
) -> None:
    settings = make_test_settings(tmp_path, api_workers=1, transcode_workers=1)
    found = one_program.program(settings, name)
    assert (found.name, found.port) == (program, settings.port(port) if port else None)


@pytest.mark.parametrize("name", ["api-0", "api-17", "api-x", "edge-3", "outbox-1", "nothing"])
def test_a_program_that_there_is_not_is_refused(name: str) -> None:
    with pytest.raises(InputInvalid, match=f"There is no program {name}"):
        part_of(name)


@pytest.mark.parametrize("url", ["https://api:8410", "api:8410", "http://api:8410/below", ""])
def test_another_kind_of_upstream_is_refused(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="MARQUEE_API_URL cannot be used"):
        upstream(url, "MARQUEE_API_URL")


async def test_a_host_that_was_told_too_little_starts_nothing_and_makes_no_secret(tmp_path: Path) -> None:
    settings = make_test_settings(tmp_path / "state", only="transcode")
    with pytest.raises(SettingsInvalid, match="MARQUEE_DATABASE_URL"):
        await start(settings)
    assert not (settings.state / ENVIRONMENT_FILE).exists(), "another platform's secret would be of no use here"
    assert not await stop(settings)


async def test_workers_under_a_supervisor_of_their_own_join_a_platform(
    platform_settings: Settings,  # noqa: F811
    tmp_path: Path,
) -> None:
    settings = make_test_settings(
        tmp_path / "state",
        only="transcode",
        transcode_workers=2,
        database_url=platform_settings.database,
        event_log_url=platform_settings.event_log,
        objects_url=platform_settings.objects,
    )
    settings = await start(settings)
    try:
        running = {process.name: process.state for process in await Supervisor(settings).processes()}
        assert running == {"transcode-1": "running", "transcode-2": "running"}
    finally:
        await stop(settings)
    assert not (settings.state / ENVIRONMENT_FILE).exists()


def test_the_doors_are_where_the_operator_says(tmp_path: Path) -> None:
    """`bind_host` is another loopback address: public endpoints listen there, everything else stays on 127.0.0.1."""
    programs = ("postgres", "valkey-log", "seaweedfs", "s3-pace", "s3-proxy", "edge-1", "web", "gateway")
    settings = make_test_settings(tmp_path / "state", bind_host="127.0.0.2", without=without_all_but(*programs))
    settings = asyncio.run(start(settings))
    try:
        assert settings.public == f"http://127.0.0.2:{settings.port('gateway')}"
        assert httpx.get(f"{settings.public}/").status_code in (200, 404), "the gateway has the web client behind it"
        assert httpx.get(f"{settings.edges[0]}/").status_code == 403, "an edge refuses what is not signed"
        assert httpx.get(f"{settings.public_s3}/healthz").status_code == 200
        for door in ("gateway", "edge_1", "s3"):
            with pytest.raises(httpx.ConnectError):
                httpx.get(settings.loopback(door))
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.2:{settings.port('web')}/")
    finally:
        asyncio.run(stop(settings))
