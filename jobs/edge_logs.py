"""`python -m jobs.edge_logs`: what viewers request at this host's edges becomes viewing events.

Every second it publishes what the edges have logged (`marquee.cdn.edge_log`) and removes the files that were read. It needs the
event log alone, so it runs on hosts that reach no database. It holds a lock while it is ready: one process a host reads.
"""

from functools import partial
from typing import Final

from marquee.cdn.edge_log.files import reader_lock
from marquee.cdn.edge_log.shipping import ship_all
from marquee.domain.telemetry import is_sampled
from marquee.logs import get_logger
from marquee.processes.repeating import every
from marquee.processes.runner import Process, run_process
from marquee.processes.stopping import wait_for_stop

SHIP_SECONDS: Final = 1.0

log = get_logger()


async def run(process: Process) -> None:
    settings, event_log = process.settings, process.stores.event_log
    keeps = partial(is_sampled, share=settings.edge_log_share)
    await process.ready(event_log)
    is_told = False
    while not process.stop.is_set():
        with reader_lock(settings) as is_reader:
            if is_reader:
                await every(SHIP_SECONDS, process.stop, partial(ship_all, settings, event_log, keeps))
        if not is_reader:
            if not is_told:
                log.info("another process on this host reads the edges' logs")
            is_told = True
            await wait_for_stop(process.stop, SHIP_SECONDS)


if __name__ == "__main__":
    raise SystemExit(run_process("edge-logs", run))
