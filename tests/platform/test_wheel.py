"""The wheel alone, installed in an empty environment outside the checkout, starts and serves the platform."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.harness.servers import free_port_base

PROJECT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
START_SECONDS = 180


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the locked dependencies and the built wheel: no path leads to this checkout."""
    assert (PROJECT / "web" / "dist" / "index.html").is_file(), "the web client is not built: `make web`"
    folder = tmp_path_factory.mktemp("installed")
    build = ("build", "--quiet", "--wheel", "--offline", "--no-build-isolation", "--python", sys.executable)
    _run(UV, *build, "--out-dir", folder, PROJECT)
    [wheel] = folder.glob("marquee-*.whl")
    venv = folder / "venv"
    _run(UV, "venv", "--quiet", "--python", sys.executable, venv)
    python = venv / "bin" / "python"
    lock = PROJECT / "requirements" / "runtime.txt"
    # Bytecode of the dependencies, as `make install` writes it: else every process of the start compiles for itself.
    _run(UV, "pip", "sync", "--quiet", "--compile-bytecode", "--python", python, "--require-hashes", lock)
    _run(UV, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, "--offline", "--no-deps", wheel)
    return venv


def _run(*command: str | Path, **options: object) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        **options,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, f"{command[0]} {command[1]}: {done.stdout[-1500:]}\n{done.stderr[-3000:]}"
    return str(done.stdout)


@pytest.mark.timeout(600)
def test_the_installed_wheel_starts_the_platform(environment: Path, tmp_path: Path) -> None:
    marquee = environment / "bin" / "marquee"
    variables = {
        "PATH": f"{environment / 'bin'}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "MARQUEE_STATE": str(tmp_path / "state"),
        "MARQUEE_PORT_BASE": str(free_port_base()),
        "MARQUEE_API_WORKERS": "1",
        "MARQUEE_TRANSCODE_WORKERS": "1",
        **{name: os.environ[name] for name in ("LANG", "OPENBLAS_CORETYPE") if name in os.environ},
    }
    try:
        said = _run(marquee, "up", "--json", cwd=tmp_path, env=variables)
        addresses = json.loads(said.splitlines()[-1])
        page = httpx.get(addresses["web_client"], timeout=10)
        assert page.status_code == 200, page.text
        assert "Marquee" in page.text, "the gateway serves a page that is not the web client"
        schema = httpx.get(f"{addresses['web_client']}/schema/openapi.json", timeout=10)
        assert schema.json()["info"]["title"], "the API does not answer"
        states = [
            json.loads(line) for line in _run(marquee, "status", "--json", cwd=tmp_path, env=variables).splitlines()
        ]
        assert {one["state"] for one in states} == {"running"}, states
        assert {"dagster-code-ingest", "edge-1", "change-capture"} <= {one["name"] for one in states}
    finally:
        _run(marquee, "down", cwd=tmp_path, env=variables)
