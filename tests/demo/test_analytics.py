"""The demo's chain of analytics: what it starts exists in Dagster, and without the packages it says what is left out."""

import dagster as dg
import pytest

from marquee.analytics_extra import how_to_get_analytics
from marquee.demo import analytics
from marquee.demo.analytics import DAY_JOB, LOCATION, row_of, why_left_out
from marquee.demo.analytics_checks import check_analytics
from marquee.demo.report import CheckFailed, CheckSkipped, Report
from marquee.platform.project import PROJECT
from marquee.settings import load_settings
from orchestration.analytics import analytics_definitions


def test_the_job_that_the_demo_runs_makes_a_range_at_once() -> None:
    definitions = analytics_definitions(load_settings())
    job = definitions.resolve_job_def(DAY_JOB)
    assert job.backfill_policy == dg.BackfillPolicy.single_run(), "the demo's days would not be one run"
    assert LOCATION == "analytics"


def test_without_the_packages_the_demo_says_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analytics, "missing_packages", lambda: ["pyspark"])
    said = why_left_out()
    assert said is not None
    assert "pyspark" in said
    assert how_to_get_analytics() in said
    monkeypatch.setattr(analytics, "missing_packages", list)
    assert why_left_out() is None


@pytest.mark.parametrize(
    ("outcome", "passed"), [(CheckSkipped("no pyspark"), True), (CheckFailed("a run failed"), False)]
)
async def test_what_was_not_learned_is_one_outcome_of_the_report(
    outcome: CheckSkipped | CheckFailed, passed: bool
) -> None:
    from rich.console import Console

    report = Report(Console(quiet=True))
    await check_analytics(load_settings(), report, outcome)
    assert [result.detail for result in report.results] == [str(outcome)]
    assert report.passed(strict=False) == passed
    assert not report.passed(strict=True)


def test_a_home_page_without_the_row_has_an_empty_one() -> None:
    home = {"rows": [{"id": "trending", "items": [1]}]}
    assert row_of(home, "trending") == {"id": "trending", "items": [1]}
    assert row_of(home, "because-m_1") == {}


def test_make_demo_installs_the_packages_unless_told_not_to() -> None:
    text = (PROJECT / "Makefile").read_text()
    [line] = [line for line in text.splitlines() if line.startswith("demo:")]
    assert "$(if $(filter 0,$(ANALYTICS)),,analytics)" in line
