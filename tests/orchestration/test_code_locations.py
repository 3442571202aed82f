"""Every code location has a code server of its own, which loads its own module alone; one list says which there are."""

import contextlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import yaml

from marquee.code_locations import CODE_LOCATIONS, CodeLocation
from marquee.documents import STAGES
from marquee.errors import PlatformUnavailable, SettingsInvalid
from marquee.platform.hosts import check_needed
from marquee.platform.programs import dagster as programs
from marquee.platform.project import PROJECT
from marquee.platform.topology import parts
from marquee.ports import PORT_OFFSETS
from marquee.settings import Settings
from marquee.stores.schema.migrate import ensure_database
from tests.harness.chain import write_environment
from tests.harness.servers import make_test_settings, running

SECOND = CodeLocation("second", "tests.harness.second_location", port_offset=29)
READY_SECONDS = 180.0
WORKSPACE = """{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError {
  ... on RepositoryLocation { repositories { assetNodes { assetKey { path } } } }
  ... on PythonError { message }
} } } } }"""


def test_every_location_has_a_name_a_module_and_a_port_of_its_own() -> None:
    for taken in ("name", "name_in_dagster", "module", "port_offset"):
        values = [getattr(location, taken) for location in CODE_LOCATIONS]
        assert len(set(values)) == len(values), f"two locations have the same {taken}: {values}"
    assert len(set(PORT_OFFSETS.values())) == len(PORT_OFFSETS), "a code server has another listener's port"


def test_the_workspace_of_a_checkout_has_every_location() -> None:
    listed = yaml.safe_load((PROJECT / "workspace.yaml").read_text())["load_from"]
    assert [each["python_module"] for each in listed] == [
        {"module_name": location.module, "location_name": location.name_in_dagster} for location in CODE_LOCATIONS
    ]


@pytest.mark.parametrize("location", CODE_LOCATIONS, ids=lambda location: location.name)
def test_a_location_imports_nothing_of_another(location: CodeLocation) -> None:
    others = [f"assets.{each.name}" for each in CODE_LOCATIONS if each is not location]
    others += [each.module for each in CODE_LOCATIONS if each is not location]
    heavy = ["pyspark", "dbt", "great_expectations"] if location.name == "ingest" else []
    found = imported_with(location, [*others, *heavy])
    assert not found, f"{location.module} imports {found}"


def test_an_import_of_a_location_would_be_seen() -> None:
    assert imported_with(SECOND, ["wave", "pyspark"]) == ["wave"], "the test above would pass whatever is imported"


def imported_with(location: CodeLocation, names: list[str]) -> list[str]:
    """Which of these modules a new Python has after it imported the location's module."""
    code = (
        f"import json, sys, {location.module}; print(json.dumps([name for name in {names!r} if name in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=120, check=True
    )
    found: list[str] = json.loads(done.stdout)
    return found


def test_only_a_preloaded_location_is_imported_by_the_supervisor(tmp_path: Path) -> None:
    settings = make_test_settings(tmp_path)
    for location in (*CODE_LOCATIONS, SECOND):
        imported = programs.code_server(settings, location).imports
        assert (location.module in imported) == location.preloaded
        assert location.preloaded or not imported, "every other program would have these modules in its memory"


def test_each_location_has_a_program_that_dagster_waits_for(tmp_path: Path) -> None:
    settings = make_test_settings(tmp_path)
    code_servers = [location.program for location in CODE_LOCATIONS]
    assert [part.name for part in parts(settings) if part.name.startswith("dagster-code")] == code_servers
    assert programs.webserver(settings).after == programs.daemon(settings).after == tuple(code_servers)


def test_a_program_is_still_known_by_its_old_name(tmp_path: Path) -> None:
    assert [part.name for part in parts(make_test_settings(tmp_path, only="dagster-code"))] == ["dagster-code-ingest"]
    with pytest.raises(PlatformUnavailable, match="no program"):
        parts(make_test_settings(tmp_path, only="dagster-core"))


def test_a_host_without_the_code_servers_is_told_of_each(tmp_path: Path) -> None:
    told = make_test_settings(
        tmp_path,
        dagster_database_url="postgresql://db/dagster",
        dagster_code_urls=",".join(f"{each.name}=grpc://{each.program}:1" for each in CODE_LOCATIONS),
    )
    check_needed(told, {"dagster-webserver"})
    with pytest.raises(SettingsInvalid, match="MARQUEE_DAGSTER_CODE_URLS"):
        check_needed(told.model_copy(update={"dagster_code_urls": ""}), {"dagster-webserver"})


def test_the_workspace_is_made_of_settings_and_list(tmp_path: Path) -> None:
    (ingest,) = [location for location in CODE_LOCATIONS if location.name == "ingest"]
    settings = make_test_settings(tmp_path, dagster_code_urls="ingest=grpc://code:17")
    home = Path(programs.write_home(settings, locations=(ingest, SECOND)))
    first, second = json.loads((home / "workspace.yaml").read_text())["load_from"]
    assert first == {"grpc_server": {"host": "code", "port": 17, "location_name": "orchestration"}}
    assert second == {
        "grpc_server": {"host": "127.0.0.1", "port": settings.port_base + SECOND.port_offset, "location_name": "second"}
    }


@pytest.fixture
def own(migrated_database: Settings, tmp_path: Path) -> Settings:
    settings = make_test_settings(tmp_path, dagster_database_url=migrated_database.postgres_url("dagster_locations"))
    write_environment(settings)
    ensure_database(settings.dagster_database)
    return settings


def test_two_code_servers_come_up_and_each_has_its_own_assets(own: Settings) -> None:
    locations = (*CODE_LOCATIONS, SECOND)
    # As `marquee up` starts them, but for the list: each Python starts anew, as one that is not preloaded does.
    servers = [programs.code_server(own, location) for location in locations]
    webserver = programs.webserver(own)
    programs.write_home(own, locations=locations)
    state = {"MARQUEE_STATE": str(own.state)}
    with contextlib.ExitStack() as stack:
        for program in (*servers, webserver):
            told = replace(program, environment={**program.environment, **state})
            stack.enter_context(running(told, own.state, seconds=READY_SECONDS))
        answer = httpx.post(f"{own.dagster}/graphql", json={"query": WORKSPACE}, timeout=60).json()
    found = {
        entry["name"]: {
            "/".join(node["assetKey"]["path"])
            for repository in entry["locationOrLoadError"].get("repositories", ())
            for node in repository["assetNodes"]
        }
        for entry in answer["data"]["workspaceOrError"]["locationEntries"]
    }
    assert {"event_hour", "sessions", "marts/daily_watch", "accepted_marts"} <= found.pop("analytics")
    assert found == {"orchestration": set(STAGES), "second": {"of_second"}}, answer
