"""The main of every process of `jobs/`, and of the preparation, once: `run_process(name, work)`.

Sets up the log, reads the settings, turns SIGTERM and SIGINT into an event, closes the stores at the end, and logs why the
process failed. A module says only what is its own. The supervisor starts a process again that ends with 1.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from marquee.errors import MarqueeError, StoreUnavailable
from marquee.logs import configure_logging, get_logger
from marquee.processes.repeating import until_answered
from marquee.processes.stopping import stop_on_signals
from marquee.settings import Settings, load_settings
from marquee.stores.opened import Stores, open_stores

log = get_logger()


class Answering(Protocol):
    """A store that can be asked whether its engine answers."""

    async def ping(self) -> None: ...


@dataclass(frozen=True)
class Process:
    """What a process has: its settings, the event that tells it to stop, and its stores, each opened when it is first named."""

    settings: Settings
    stop: asyncio.Event
    stores: Stores

    async def ready(self, store: Answering) -> None:
        """Wait until `store` answers, through any outage, then log that the process is ready.

        The supervisor sees the same: a process without a port is ready when it is connected to PostgreSQL. Raises
        `StoreUnavailable` once the process is told to stop.
        """
        await until_answered(self.stop, store.ping)
        log.info("ready")


def run_process(name: str, work: Callable[[Process], Awaitable[None]], *, search_writer: bool = False) -> int:
    """Run `work` until it returns. Returns the exit code: 1 for a failure, else 0, also where an engine was away at the stop.

    `search_writer` is for the one process that writes the search index.
    """
    configure_logging(name)
    return asyncio.run(_run(work, search_writer=search_writer))


async def _run(work: Callable[[Process], Awaitable[None]], *, search_writer: bool) -> int:
    stop = stop_on_signals()
    try:
        settings = load_settings()
        async with open_stores(settings, search_writer=search_writer) as stores:
            await work(Process(settings, stop, stores))
    except Exception as error:
        failures = list(_failures(error))
        if not (stop.is_set() and all(isinstance(failure, StoreUnavailable) for failure in failures)):
            # A sentence for people is all there is to say of an error of ours; of any other, the traceback tells more.
            ours = all(isinstance(failure, MarqueeError) for failure in failures)
            reasons = [str(failure) or type(failure).__name__ for failure in failures]
            log.error("failed", reasons=reasons, exc_info=None if ours else error)
            return 1
    log.info("stopped")
    return 0


def _failures(error: BaseException) -> Iterator[BaseException]:
    """The error itself, or all that are in its groups."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _failures(each)
    else:
        yield error
