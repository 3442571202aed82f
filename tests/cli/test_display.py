"""The progress of a title in the CLI: bars on a terminal, elsewhere one line for each change."""

import io
import re

from rich.console import Console

from marquee.cli.display import TitleDisplay
from marquee.client.uploader import PartSent


def shown(*, terminal: bool) -> str:
    """What a film's upload and ingest look like, on a terminal or in a file."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=100)
    with TitleDisplay(console) as display:
        row = display.add("A [bold] film")
        for number in range(1, 101):
            display.part_sent(row, PartSent("u_1", "m_1", number, 100, number, 100, reused=False))
        for percent in range(0, 60, 5):
            display.state_seen(row, {"state": "ingesting", "stage": "renditions", "percent": percent, "speed": 1.5})
        display.state_seen(row, {"state": "ingesting", "stage": "streams", "percent": 80, "speed": None})
        for _ in range(3):
            display.state_seen(row, {"state": "playable", "stage": "search_document", "percent": 100, "speed": None})
    return written.getvalue()


def test_without_a_terminal_each_change_is_one_line() -> None:
    lines = shown(terminal=False).splitlines()
    said = [re.sub(r"^ *[\d.]+ s  ", "", line) for line in lines]
    assert said == [
        "A [bold] film: upload, 1 %",
        "A [bold] film: upload, 25 %",
        "A [bold] film: upload, 50 %",
        "A [bold] film: upload, 75 %",
        "A [bold] film: upload, 100 %",
        "A [bold] film: renditions, 0 %, 1.5x",
        "A [bold] film: renditions, 25 %, 1.5x",
        "A [bold] film: renditions, 50 %, 1.5x",
        "A [bold] film: streams, 80 %",
        "A [bold] film: playable, 100 %",
    ], "a line is missing, or one came for no change"


def test_on_a_terminal_there_are_bars() -> None:
    seen = shown(terminal=True)
    assert "━" in seen
    assert "playable" in seen
