"""`marquee demo` and `marquee check`: the platform with films in it, and checks from outside that it works.

`demo` starts everything, ingests the demo's films and stays up; with `--check` it runs every check and stops. `check` runs the
checks on a running platform. Both print a table and, as the last line on stdout, one JSON object with the figures. The films
and checks are in `marquee.demo`.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from marquee.cli.display import TitleDisplay
from marquee.cli.starting import StartDisplay
from marquee.cli.steps import step
from marquee.demo.analytics import Learned, learn_from_viewers, why_left_out
from marquee.demo.analytics_checks import check_analytics
from marquee.demo.checks import RESUMED_TITLE, deleted_leaves_search, logged_in, run_checks
from marquee.demo.films import FILMS, LONG_FILM, require_fixtures
from marquee.demo.ingest import Ingested, ingest_films
from marquee.demo.kills import survive_kills
from marquee.demo.memory import idle_memory, peak_memory
from marquee.demo.reel import make_reel
from marquee.demo.report import CheckFailed, CheckSkipped, Report
from marquee.demo.second_start import second_start
from marquee.demo.viewers.visitors import EMAIL as VISITOR_EMAIL
from marquee.domain.lifecycle import NEVER_PLAYABLE, PLAYABLE
from marquee.errors import MarqueeError, PlatformUnavailable
from marquee.platform.cluster_engines import instances
from marquee.platform.cluster_engines.engine import Engine
from marquee.platform.cluster_engines.names import DISTRIBUTED, chosen
from marquee.platform.supervisor.supervision import start, stop
from marquee.processes.stopping import stop_on_signals, unless_stopped
from marquee.settings import Settings, load_settings, setting_of


class EngineSet(StrEnum):
    """The engines of a demo: those of one machine, or Kafka, Cassandra, Elasticsearch and Redis Cluster."""

    EMBEDDED = "embedded"
    DISTRIBUTED = "distributed"


Screenshots = Annotated[Path | None, typer.Option(help="Keep pictures of the pages that the browser check sees.")]


def demo(
    check: Annotated[bool, typer.Option("--check", help="Check from outside, print figures, stop.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="A check that had to be skipped fails.")] = False,
    screenshots: Screenshots = None,
    engines: Annotated[
        EngineSet,
        typer.Option(help="The engines of one machine, or Kafka, Cassandra, Elasticsearch and Redis Cluster."),
    ] = EngineSet.EMBEDDED,
) -> None:
    """Start everything, ingest the demo's films, and stay up until Ctrl-C. With --check: run every check and stop."""
    require_fixtures()
    console = Console(stderr=check)
    cluster_engines = chosen(list(DISTRIBUTED)) if engines is EngineSet.DISTRIBUTED else []
    if not asyncio.run(_demo(console, cluster_engines, check=check, strict=strict, screenshots=screenshots)):
        raise typer.Exit(1)


async def _demo(
    console: Console, engines: Sequence[Engine], *, check: bool, strict: bool, screenshots: Path | None
) -> bool:
    report = Report(console)
    # Ctrl-C: the context managers inside stop the platform in order.
    passed = await unless_stopped(
        stop_on_signals(), _work(console, engines, report, check=check, strict=strict, screenshots=screenshots)
    )
    return not check if passed is None else passed


async def _work(
    console: Console,
    engines: Sequence[Engine],
    report: Report,
    *,
    check: bool,
    strict: bool,
    screenshots: Path | None,
) -> bool:
    # Downloads come before the clock starts: they are not part of the start's time.
    for engine in engines:
        await asyncio.to_thread(engine.fetch, load_settings())
    started = time.monotonic()
    async with running_platform(console, engines) as settings:
        report.figures["seconds_to_all_ready"] = round(time.monotonic() - started, 1)
        ingested = await _ingest(settings, console)
        _note_ingest(report, ingested, started)
        if not check:
            _print_addresses(settings, console)
            await _learn(settings, console, report, engines)
            await asyncio.Event().wait()  # until it is cancelled
        learned = await _learn(settings, console, report, engines)
        report.figures |= await idle_memory(settings, engines)
        await check_analytics(settings, report, learned)
        await _check_all(settings, engines, report, ingested, screenshots)
    if check:
        async with report.check("a second start ingests nothing again, and Ctrl-C stops it in order") as said:
            seconds = await second_start(
                settings,
                ["--engines", EngineSet.DISTRIBUTED.value] if engines else [],
                movie_ids={title.movie_id for title in ingested},
            )
            report.figures["second_start_seconds"] = round(seconds, 1)
            said.append(f"up in {seconds:.1f} s")
    console.print(report.table())
    passed = report.passed(strict=strict)
    outcomes = [result.outcome for result in report.results]
    figures = {"passed": passed, "checks": len(outcomes), "skipped": outcomes.count("skipped"), **report.figures}
    typer.echo(json.dumps(figures))
    return passed


@asynccontextmanager
async def running_platform(console: Console, engines: Sequence[Engine] = ()) -> AsyncIterator[Settings]:
    """Start the platform, on these cluster engines if there are any, and wait until it is ready. Stop all at the end."""
    settings = load_settings()
    try:
        with StartDisplay(console) as display:
            urls = await instances.up(settings, engines, on_event=display.seen, tied=True)
            settings = load_settings(**{setting_of(variable): url for variable, url in urls.items()})
            settings = await start(settings, on_event=display.seen, tied=True)
        yield settings
    finally:
        with StartDisplay(console) as display:
            await stop(settings, on_event=display.seen)
            await instances.down(settings, engines, on_event=display.seen)


async def _ingest(settings: Settings, console: Console) -> list[Ingested]:
    reel = await make_reel(reel_path(settings))
    films = [*((film, film.path) for film in FILMS), (LONG_FILM, reel)]
    # The reel goes first: it takes longest, and the small films use the workers that it leaves free.
    films.sort(key=lambda film: film[0] is not LONG_FILM)
    async with await logged_in(settings) as api:
        with TitleDisplay(console) as display:
            ingested = await ingest_films(api, films, display)
    for title in ingested:
        if title.state in NEVER_PLAYABLE:
            console.print(f"[red]{title.title}: {title.state}: {title.reason}[/]", highlight=False)
    return ingested


def reel_path(settings: Settings) -> Path:
    return settings.state / "demo" / LONG_FILM.file_name


def _note_ingest(report: Report, ingested: list[Ingested], started: float) -> None:
    ends = [title.ended_at - started for title in ingested if title.ended_at is not None]
    report.figures["titles_ingested"] = len(ends)
    report.figures["titles_playable"] = sum(title.state == PLAYABLE for title in ingested)
    if ends:
        report.figures["seconds_to_first_title_playable"] = round(min(ends), 1)
        report.figures["seconds_to_all_titles_playable"] = round(max(ends), 1)


async def _learn(
    settings: Settings, console: Console, report: Report, engines: Sequence[Engine]
) -> Learned | CheckSkipped | CheckFailed:
    """The viewers' week and the chain of analytics: what was learned, or why nothing was, which is shown too."""
    if reason := why_left_out():
        console.print(f"[yellow]{escape(reason)}[/]", highlight=False)
        return CheckSkipped(reason)
    try:
        async with peak_memory(settings, engines) as peak:
            learned = await learn_from_viewers(settings, partial(step, console))
    except MarqueeError as error:
        console.print(
            f"[red]Viewers and what follows from them are missing: {escape(error.detail)}[/]", highlight=False
        )
        return CheckFailed(error.detail)
    if learned.seconds is not None:
        report.figures |= {
            "event_to_row_seconds": round(learned.seconds, 1),
            "memory_peak_mb": peak.megabytes,
            "memory_peak_process": peak.largest,
        }
    console.print(
        f"Home has trending titles. {VISITOR_EMAIL}, with the same password, is a viewer whose home also has suggestions.",
        highlight=False,
    )
    return learned


def _print_addresses(settings: Settings, console: Console) -> None:
    lines = [
        f"web client   {settings.public}/",
        f"API docs     {settings.public}/schema/scalar",
        f"Dagster UI   {settings.dagster}/",
        "",
        f"log in with  {settings.email}  {settings.password.get_secret_value()}",
        "",
        "Ctrl-C stops everything.",
    ]
    console.print(Panel("\n".join(lines), title="Marquee is up", expand=False), highlight=False)


async def _check_all(
    settings: Settings,
    engines: Sequence[Engine],
    report: Report,
    ingested: list[Ingested],
    screenshots: Path | None,
) -> None:
    async with report.check("the demo's films are playable") as said:
        missing = [f"{title.title} ({title.state}: {title.reason})" for title in ingested if title.state != PLAYABLE]
        if missing:
            raise PlatformUnavailable("; ".join(missing))
        said.append(f"{len(ingested)} titles")
    reel = await make_reel(reel_path(settings))
    await _outside(settings, report, reel, kills=True, engines=engines, screenshots=screenshots)


async def _outside(
    settings: Settings,
    report: Report,
    reel: Path,
    *,
    kills: bool,
    engines: Sequence[Engine] = (),
    screenshots: Path | None,
) -> None:
    """Run every check, then delete the titles that the checks uploaded."""
    movie_id = await run_checks(settings, reel, report, screenshots=screenshots)
    uploaded = [movie_id] if movie_id else []
    if kills and movie_id:
        victims = [each for engine in engines for each in instances.supervised(settings, [engine])[:1]]
        uploaded += await survive_kills(settings, reel, report, movie_id=movie_id, engines=victims)
    async with await logged_in(settings) as api, report.check("what was uploaded is deleted again") as said:
        said.append(await deleted_leaves_search(api, uploaded, RESUMED_TITLE))


def check(
    strict: Annotated[bool, typer.Option("--strict", help="A check that had to be skipped fails.")] = False,
    kills: Annotated[bool, typer.Option("--kills", help="Also SIGKILL every process in turn.")] = False,
    screenshots: Screenshots = None,
) -> None:
    """Check the running platform from outside, as its clients would."""
    if not asyncio.run(_check(Console(stderr=True), strict=strict, kills=kills, screenshots=screenshots)):
        raise typer.Exit(1)


async def _check(console: Console, *, strict: bool, kills: bool, screenshots: Path | None) -> bool:
    settings = load_settings()
    report = Report(console)
    with tempfile.TemporaryDirectory(prefix="marquee-check-") as folder:
        reel = await make_reel(Path(folder) / LONG_FILM.file_name)
        await _outside(settings, report, reel, kills=kills, screenshots=screenshots)
    console.print(report.table())
    passed = report.passed(strict=strict)
    typer.echo(json.dumps({"passed": passed, "checks": len(report.results), **report.figures}))
    return passed
