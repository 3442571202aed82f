"""What an asset shows on its page in Dagster: tables, links and pictures, in one form for all stages."""

import base64
import re
import time
from collections.abc import Mapping, Sequence
from typing import Final

import dagster as dg

from marquee.cdn.addresses import EdgeAddresses, title_page
from marquee.notes import Note, by_severity
from marquee.settings import Settings

_LINK_SECONDS: Final = 24 * 3600
"""Seconds for which a stream's link on an asset's page is valid."""


def table(rows: Sequence[Mapping[str, object]]) -> dg.MetadataValue:
    """Rows with the same keys, as a Markdown table. No rows: a dash."""
    if not rows:
        return dg.MetadataValue.md("-")
    head = list(rows[0])
    lines = [head, ["---"] * len(head), *([str(row[key]) for key in head] for row in rows)]
    return dg.MetadataValue.md("\n".join("| " + " | ".join(cells) + " |" for cells in lines))


def picture(png: bytes, alt: str) -> dg.MetadataValue:
    """A PNG, stored in the metadata itself."""
    return dg.MetadataValue.md(f"![{alt}](data:image/png;base64,{base64.b64encode(png).decode()})")


def bullet_list(lines: Sequence[str]) -> dg.MetadataValue:
    return dg.MetadataValue.md("\n".join(f"- {line}" for line in lines) or "-")


def web_page(settings: Settings, movie_id: str) -> dg.MetadataValue:
    """The title's page in the web client."""
    return dg.MetadataValue.url(title_page(settings, movie_id))


def stream_link(settings: Settings, movie_id: str, version: int, key: str) -> dg.MetadataValue:
    """A file of the version at its edge, by its key in the published bucket, signed for a day."""
    expires_at = int(time.time()) + _LINK_SECONDS
    return dg.MetadataValue.url(EdgeAddresses(settings).stream(movie_id, version, key, expires_at=expires_at))


def image_link(settings: Settings, movie_id: str, key: str) -> dg.MetadataValue:
    """A public image at the title's edge."""
    return dg.MetadataValue.url(EdgeAddresses(settings).image(movie_id, key))


def kilobits(bits_per_second: float) -> str:
    return f"{bits_per_second / 1000:.0f} kbit/s"


def mebibytes(size_bytes: float) -> str:
    return f"{size_bytes / 1024**2:.2f} MiB"


_MAX_REASON: Final = 400
_CONFIGURATION: Final = re.compile(r"Svt\[(?:info|warn)\]: [^\n]*\n?")


def first_words(detail: str) -> str:
    """The first words of a program's failure, for a note: one line, without the configuration that SVT-AV1 prints before them."""
    return " ".join(_CONFIGURATION.sub("", detail).split())[:_MAX_REASON].rstrip(". ")


def note_table(notes: Sequence[Note]) -> dict[str, dg.MetadataValue]:
    """The notes of a stage, the most severe first, and the severity of the first. Nothing for a stage without notes."""
    ordered = by_severity(notes)
    if not ordered:
        return {}
    rows = [
        {
            "severity": one.severity,
            "code": one.code,
            "stream": f"{one.stream.kind} {one.stream.index}" if one.stream else "",
            "note": one.sentence.replace("|", r"\|"),
        }
        for one in ordered
    ]
    return {"notes": table(rows), "severity": dg.MetadataValue.text(ordered[0].severity)}
