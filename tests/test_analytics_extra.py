"""What is said where the packages of analytics are missing: which ones, and how to get them. Nothing is imported for it."""

import asyncio
import importlib.util
import subprocess
import sys
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from marquee.analytics_extra import PACKAGES, how_to_get_analytics, missing_packages, told_missing
from marquee.errors import PlatformUnavailable
from marquee.platform.analytics_state import AnalyticsState, SinkState
from marquee.platform.examination import examine, judge_analytics
from marquee.platform.programs import applications
from marquee.platform.project import PROJECT
from marquee.stores.analytics.writing import Batch
from tests.harness.compose_file import compose
from tests.harness.servers import make_test_settings


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pyspark" else ModuleSpec(name, None))
    assert missing_packages() == ["pyspark"]
    assert missing_packages(("pyarrow",)) == []


def test_the_way_to_get_them_depends_on_how_marquee_was_installed() -> None:
    assert "make analytics" in how_to_get_analytics(in_checkout=True)
    assert "[analytics]" in how_to_get_analytics(in_checkout=False)


def test_the_sentence_about_missing_packages_names_them_and_the_remedy() -> None:
    assert told_missing(["dbt"]) == f"dbt is not installed: {how_to_get_analytics()}."
    assert told_missing(["dbt", "pyarrow"]).startswith("dbt, pyarrow are not installed: ")


def test_looking_for_them_imports_none() -> None:
    script = (
        "import sys; from marquee.analytics_extra import missing_packages, PACKAGES; missing_packages();"
        "print(sorted(set(sys.modules) & set(PACKAGES)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_every_package_is_one_of_the_extra() -> None:
    extra = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["analytics"]
    for package in PACKAGES:
        name = {"dbt": "dbt-core"}.get(package, package.replace("_", "-"))
        assert any(each.startswith(f"{name}>=") for each in extra), f"{package} is not in the extra"


@pytest.mark.parametrize("missing", [[], ["pyspark", "dbt"]])
def test_the_doctor_names_what_analytics_lacks(
    missing: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marquee.platform.examination.missing_packages", lambda: missing)
    [found] = [one for one in examine(make_test_settings(tmp_path)) if one.name == "packages of analytics"]
    assert found.state == ("optional" if missing else "ok")
    if missing:
        assert "pyspark, dbt missing" in found.detail
        assert how_to_get_analytics() in found.detail


def test_the_event_sink_is_not_ready_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applications, "arrow_is_installed", lambda: False)
    with pytest.raises(PlatformUnavailable, match="make analytics"):
        asyncio.run(applications.event_sink(make_test_settings(tmp_path)).ready())


def test_the_compose_file_builds_the_image_with_what_its_event_sink_needs() -> None:
    service = compose()["services"]["event-sink"]
    assert service["build"]["args"] == {"ANALYTICS": "yes"}


def test_the_doctor_tells_of_late_and_lost_events_and_of_refused_batches() -> None:
    now = datetime.now(UTC)
    sound = AnalyticsState(SinkState(now, 20.0), [], [], {}, 0, 0, [])
    assert judge_analytics(sound, 90).state == "ok"
    refused = Batch(7, "popularity", "refused", 10, now, "half of the rows are missing")
    for state, told in (
        (replace(sound, sink=SinkState(now, 600.0)), "600 s old"),
        (replace(sound, lost=1234), "1,234 events were dropped"),
        (replace(sound, batches=[refused]), "half of the rows are missing"),
    ):
        found = judge_analytics(state, 90)
        assert found.state == "optional"
        assert told in found.detail
