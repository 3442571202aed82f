"""Compares a title with the pattern of its film (`odd.picture`, `odd.sound`): the time that each frame tells, and its beeps.

Reads the published files alone. Every function returns findings, one sentence each; an empty list means that the title is right.
"""

from bisect import bisect_right
from fractions import Fraction
from pathlib import Path

import numpy as np

from marquee.media.programs import binaries, process
from tests.harness.media import likeness, packaging, watched
from tests.harness.media.odd import ExpectedTitle
from tests.harness.media.watched import Master, Variant


async def findings(expected: ExpectedTitle, path: Path, folder: Path) -> list[str]:
    """Everything that differs from `expected` in the title in `folder`, made of the film `path`."""
    found = []
    variants = await watched.variants(folder)
    top = variants[-1]
    if expected.width and (top.width, top.height) != (expected.width, expected.height):
        found.append(f"The top is {top.width}x{top.height}, not {expected.width}x{expected.height}.")
    if expected.frames_at and top.rate != Fraction(expected.frames_at):
        found.append(f"It has {top.rate} frames a second, not {expected.frames_at}.")
    lasts, frame = float(top.frames / top.rate), float(1 / top.rate)
    if expected.seconds is not None and abs(lasts - expected.seconds) > frame + 0.002:
        found.append(f"It lasts {lasts:.3f} s, not {expected.seconds}.")
    source = await watched.master(path, expected.stream, expected.master)
    found += watched.size_findings(source, variants)
    found += watched.time_findings(source, variants, seconds=expected.seconds)
    found += watched.colour_findings(variants)
    for one in variants:
        found += await watched.undecodable(one.path)
    found += await watched.sound_findings(folder, frame_seconds=frame, seconds=lasts)
    if expected.looks_like_master:
        found += await likeness.picture_findings(path, source, top, stream=expected.stream, options=expected.master)
    if expected.clock:
        found += await clock_findings(top, source, offset=expected.offset)
    if expected.audio is not None and len(watched.sounds(folder)) < expected.audio:
        found.append(f"It has {len(watched.sounds(folder))} tracks of sound, not {expected.audio}.")
    if expected.texts != len(watched.texts(folder)):
        found.append(f"It has {len(watched.texts(folder))} tracks of text, not {expected.texts}.")
    return found + (await beep_findings(folder, frame) if expected.beeps else [])


async def beep_findings(folder: Path, frame: float) -> list[str]:
    """Beeps more than `frame` seconds from a whole second. The beep at 0 is not checked: it may be cut."""
    found = []
    for playlist in [*watched.sounds(folder), *watched.sounds(folder, group="low")]:
        beeps = packaging.onsets(await packaging.decoded_sound(watched.joined(folder, playlist)))
        heard = [beep for beep in beeps if beep > 0.5]
        if not heard:
            found.append(f"{playlist} is silent.")
        found += [f"{playlist} beeps at {beep:.3f} s." for beep in heard if abs((beep + 0.5) % 1 - 0.5) > frame]
    return found


async def bar_times(path: Path) -> list[tuple[float, float]]:
    """(presentation time, time told by the bar, 0 to 2) of every frame of a rendition of `odd.picture`, in seconds."""
    times: list[float] = []

    def take(line: str) -> None:
        if "Parsed_showinfo" in line and "pts_time:" in line:
            times.append(float(line.split("pts_time:")[1].split()[0]))

    strip = "crop=iw:max(2\\,floor(ih/16)):0:ih-max(2\\,floor(ih/16)),scale=320:1:flags=area,format=gray"
    raw = await process.run(
        [
            *(binaries.picture_ffmpeg(), "-hide_banner", "-nostdin", "-i", path, "-vf", f"{strip},showinfo=checksum=0"),
            *("-fps_mode", "passthrough", "-f", "rawvideo", "-"),
        ],
        timeout_seconds=120,
        on_stderr_line=take,
    )
    rows = np.frombuffer(raw.stdout, np.uint8).astype(np.float32).reshape(-1, 320)
    light = np.clip(rows - 64, 0, None)
    centres = (light * np.arange(0.5, 320)).sum(axis=1) / np.maximum(light.sum(axis=1), 1)
    return list(zip(times, ((centres - 20) / 280 * 2).tolist(), strict=True))


async def clock_findings(made: Variant, source: Master, *, offset: float = 0.0) -> list[str]:
    """A finding if frames of a rendition show another moment of `odd.picture` than the master shows at the same time.

    `offset` seconds are added to the master's times, for a film that begins later in the pattern.
    """
    allowed = max(source.step, float(1 / made.rate)) + 0.02
    shown = sorted(source.times)
    wrong = []
    for time, told in await bar_times(made.path):
        expected = shown[max(0, bisect_right(shown, time + 0.001) - 1)] + offset
        if abs((told - expected + 1) % 2 - 1) > allowed:
            wrong.append((time, told))
    return [
        f"{len(wrong)} of {made.frames} frames show another moment: the bar tells {two:.3f} at {one:.3f} s."
        for one, two in wrong[:1]
    ]
