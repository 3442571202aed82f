"""How many viewing events housekeeping has dropped unwritten on this host, in all and when last: for `marquee doctor` and
`marquee analytics status`.

    STATE/viewing-events-lost.json

Housekeeping has no port of figures, so the number is kept in a file, which also survives its restarts.
"""

import time
from pathlib import Path
from typing import Final

import msgspec

NAME: Final = "viewing-events-lost.json"


class LostEvents(msgspec.Struct, frozen=True):
    """`last_at_ms`: Unix time of the last loss; 0: nothing was ever lost."""

    records: int = 0
    last_at_ms: int = 0


def load_lost(state: Path) -> LostEvents:
    try:
        return msgspec.json.decode((state / NAME).read_bytes(), type=LostEvents)
    except (FileNotFoundError, msgspec.MsgspecError):
        return LostEvents()


def add_lost(state: Path, records: int) -> None:
    """Count further lost events. For one process of the host: housekeeping."""
    total = LostEvents(load_lost(state).records + records, time.time_ns() // 1_000_000)
    written = state / f".{NAME}.part"
    written.write_bytes(msgspec.json.encode(total))
    written.rename(state / NAME)
