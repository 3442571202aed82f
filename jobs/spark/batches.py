"""`python -m jobs.spark.batches --through 2026-11-30`: popularity, re-encode candidates and taste, in one Spark after each other.

Starting Spark costs 12 processor seconds, most of what a small platform's batch costs. Each part is a job of its own too
(`jobs.spark.popularity`, ...). A part that fails stops no other: the last log line names it, and the exit code is 1.
`--only popularity,taste` leaves out the rest. Taste goes last: it takes the most memory, and a JVM that dies takes only it along.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from jobs.spark import candidates, popularity, taste
from jobs.spark.job import Figures, Job, run_job
from marquee.errors import InputInvalid, MarqueeError, PlatformUnavailable
from marquee.logs import get_logger

PARTS: Final[Mapping[str, Callable[[Job], Figures]]] = {
    "popularity": popularity.run,
    "candidates": candidates.run,
    "taste": taste.run,
}
log = get_logger()


def run(job: Job) -> Figures:
    """Figures by part, and under `failed` the reasons of the parts that could not be made."""
    from jobs.spark.events import spark_errors

    figures: dict[str, Any] = {}
    failed: dict[str, str] = {}
    for part in chosen(job.options.get("only")):
        try:
            with spark_errors(job.settings.state):
                figures[part] = PARTS[part](job)
        except MarqueeError as error:
            log.error("a batch was not made", batch=part, reason=error.detail)
            failed[part] = error.detail
            continue
        job.report(part, figures[part])
    if failed:
        raise PlatformUnavailable("; ".join(f"{part} was not made: {reason}" for part, reason in failed.items()))
    return figures


def chosen(only: str | None) -> Iterator[str]:
    """The parts to make, in the order of `PARTS`. Raises `InputInvalid` for an unknown one."""
    asked = [part.strip() for part in only.split(",")] if only else list(PARTS)
    if unknown := sorted(set(asked) - set(PARTS)):
        raise InputInvalid(f"--only names {', '.join(unknown)}; there are {', '.join(PARTS)}.", field="only")
    return (part for part in PARTS if part in asked)


if __name__ == "__main__":
    raise SystemExit(
        run_job("batches", run, day_option="through", values={"only": "these parts alone: popularity,candidates,taste"})
    )
