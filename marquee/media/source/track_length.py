"""Reads how long a stream claims to be, from ffprobe's figures and the stream's tags. Pure. `probe` puts it into `Stream`."""

from typing import Any


def own_seconds(raw: dict[str, Any], tags: dict[str, str], container: dict[str, Any], start: float) -> float | None:
    """The length that the stream itself claims, from its own start on, in seconds.

    Matroska has no length of a track but the tag DURATION: ffprobe's own figure is that of the longest track. libavformat writes
    the time of the track's end into the tag, mkvmerge (which adds statistics) the track's length.
    """
    tagged = _duration_tag_seconds(tags)
    if not str(container.get("format_name", "")).startswith("matroska"):
        return positive(seconds(raw.get("duration"))) or positive(tagged)
    by = {key.lower(): str(value) for key, value in container.get("tags", {}).items()}.get("encoder", "")
    is_length = any(key.startswith("_statistics") for key in tags) and not by.startswith("Lavf")
    return positive(tagged if tagged is None or is_length else tagged - start)


def _duration_tag_seconds(tags: dict[str, str]) -> float | None:
    """Seconds of Matroska's DURATION tag, `00:00:15.021000000`. Its name has a language suffix in some files."""
    text = next((value for key, value in tags.items() if key.split("-")[0] == "duration"), "")
    parts = text.split(":")
    try:
        return int(parts[0]) * 3600 + int(parts[1]) * 60 + float(parts[2]) if len(parts) == 3 else None
    except ValueError:
        return None


def seconds(value: object) -> float | None:
    """A number of seconds; None for anything else, such as `N/A`."""
    try:
        return float(str(value))
    except ValueError:
        return None


def positive(value: float | None) -> float | None:
    """The value, or None if it is not a positive, finite number."""
    return value if value is not None and 0 < value < float("inf") else None
