"""The report of the outside checks: it tells what failed, and a skipped check fails only with `strict`."""

from rich.console import Console

from marquee.demo.report import CheckSkipped, Report, expect


async def test_outcomes_are_kept_with_their_sentence() -> None:
    report = Report(Console(quiet=True))
    async with report.check("one") as said:
        said.append("fine")
    async with report.check("two"):
        expect(1 == 2, "one is not two")
    async with report.check("three"):
        raise CheckSkipped("no browser: install one")
    async with report.check("four"):
        raise RuntimeError("unexpected")
    assert [(result.outcome, result.detail) for result in report.results] == [
        ("passed", "fine"),
        ("failed", "one is not two"),
        ("skipped", "no browser: install one"),
        ("failed", "RuntimeError: unexpected"),
    ]
    assert not report.passed(strict=False)


async def test_a_skip_fails_only_a_strict_run() -> None:
    report = Report(Console(quiet=True))
    async with report.check("one"):
        raise CheckSkipped("no browser: install one")
    assert report.passed(strict=False)
    assert not report.passed(strict=True)


def test_a_report_without_a_check_has_not_passed() -> None:
    assert not Report(Console(quiet=True)).passed(strict=False)
