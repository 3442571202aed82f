"""Runs `dbt build` as a process of its own, and reads what it says: the state, seconds and words of every model and test.

The project lies in the package and is only read. dbt's target folder and logs are in `{state}/dbt`. The password is in
dbt's environment alone (`dbt/profiles.yml`). dbt calls nobody: its usage statistics are switched off, and no package of
others is used.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import dagster as dg

from assets.analytics.dbt_project import FOLDER, check_name
from assets.analytics.subprocesses import run_to_end
from marquee.settings import Settings
from marquee.stores.warehouse import open_warehouse

BUILD_SECONDS: Final = 3600.0
_DBT: Final = "import sys; from dbt.cli.main import cli; sys.exit(cli())"


@dataclass(frozen=True)
class Step:
    """One model or test. `status`: success, error, skipped; of a test pass, fail, warn, error, skipped."""

    name: str
    kind: str
    status: str
    seconds: float
    message: str
    failures: int = 0
    check: str = ""
    """Of a test: its name as an asset check."""
    attached: str = ""
    """Of a test: the model that it belongs to."""


@dataclass(frozen=True)
class DbtBuild:
    """`steps`: as dbt ran them; none of them where dbt did not get so far."""

    steps: Sequence[Step] = field(default=())
    folder: Path = Path()

    def models(self) -> dict[str, Step]:
        return {step.name: step for step in self.steps if step.kind == "model"}

    def tests(self) -> list[Step]:
        return [step for step in self.steps if step.kind == "test"]

    def faults(self) -> list[str]:
        """What went wrong, a sentence each: models that could not be built, tests that failed."""
        return [
            f"{step.kind} {step.name}: {step.message or step.status}"
            for step in self.steps
            if step.status in ("error", "fail", "runtime error")
        ]


def build(settings: Settings, command: str = "build") -> DbtBuild:
    """Run dbt to its end. Raises `dagster.Failure` where it cannot even begin, or takes longer than `BUILD_SECONDS`."""
    folder = settings.state / "dbt"
    target = folder / "target"
    target.mkdir(parents=True, exist_ok=True)
    (target / "run_results.json").unlink(missing_ok=True)
    arguments = ["--no-use-colors", "--no-version-check", "--no-send-anonymous-usage-stats", command]
    places = ["--project-dir", str(FOLDER), "--profiles-dir", str(FOLDER), "--target-path", str(target)]
    code = run_to_end(
        [sys.executable, "-c", _DBT, *arguments, *places, "--log-path", str(folder / "logs")],
        environment={
            **open_warehouse(settings.database).dbt_environment(),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
            "PGAPPNAME": "dbt",
        },
        timeout_seconds=BUILD_SECONDS,
    )
    results = target / "run_results.json"
    if not results.is_file():
        raise dg.Failure(
            description=f"dbt ended with code {code} before it built anything. Its words are in the step's logs (stdout).",
            allow_retries=code != 2,
        )
    manifest: dict[str, Any] = json.loads((target / "manifest.json").read_text())
    said: dict[str, Any] = json.loads(results.read_text())
    return DbtBuild([_step(one, manifest["nodes"]) for one in said["results"]], folder)


def _step(result: Mapping[str, Any], nodes: Mapping[str, Any]) -> Step:
    unique_id = str(result["unique_id"])
    node = nodes.get(unique_id, {})
    kind, name = unique_id.split(".")[0], str(node.get("name", unique_id.split(".")[2]))
    given = node.get("test_metadata") or {}
    models = [each.split(".")[2] for each in node.get("depends_on", {}).get("nodes", ()) if each.startswith("model.")]
    attached = str(node.get("attached_node") or "").split(".")[-1] or (models[0] if models else "")
    return Step(
        name=name,
        kind=kind,
        status=str(result["status"]),
        seconds=float(result["execution_time"]),
        message=" ".join(str(result.get("message") or "").split())[:500],
        failures=int(result.get("failures") or 0),
        check=check_name(given["name"], node.get("column_name")) if given else name,
        attached=attached,
    )
