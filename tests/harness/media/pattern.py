"""The pattern of `odd.picture` and `odd.sound`, read back from a title: what time each frame tells, and when it beeps.

Every function returns findings, one sentence each; an empty list means that the title shows what the film was made to show.
"""

from bisect import bisect_right
from fractions import Fraction
from pathlib import Path

import numpy as np

from marquee.media.programs import binaries, process
from tests.harness.media import likeness, packaging, watched
from tests.harness.media.odd import Shown
from tests.harness.media.watched import Master, Variant


async def findings(expected: Shown, path: Path, folder: Path) -> list[str]:
    """What is not as expected of a title in `folder`, seen and heard, against the film and its pattern."""
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
    if expected.alike:
        found += await likeness.picture_findings(path, source, top, stream=expected.stream, options=expected.master)
    if expected.clock:
        found += await clock_findings(top, source, offset=expected.offset)
    if expected.audio is not None and len(watched.sounds(folder)) < expected.audio:
        found.append(f"It has {len(watched.sounds(folder))} tracks of sound, not {expected.audio}.")
    if expected.texts != len(watched.texts(folder)):
        found.append(f"It has {len(watched.texts(folder))} tracks of text, not {expected.texts}.")
    return found + (await beep_findings(folder, frame) if expected.beeps else [])


async def beep_findings(folder: Path, frame: float) -> list[str]:
    """Beeps that do not begin at a whole second; the first may be cut."""
    found = []
    for playlist in watched.sounds(folder):
        beeps = packaging.onsets(await packaging.decoded_sound(watched.joined(folder, playlist)))
        heard = [beep for beep in beeps if beep > 0.5]
        if not heard:
            found.append(f"{playlist} is silent.")
        found += [f"{playlist} beeps at {beep:.3f} s." for beep in heard if abs((beep + 0.5) % 1 - 0.5) > frame]
    return found


async def told_times(path: Path) -> list[tuple[float, float]]:
    """(time shown, time that the bar along the bottom tells) of every frame of a rendition of `odd.picture`, in seconds."""
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
    """Frames of a rendition that show another moment of `odd.picture` than what the master shows then; `offset` is added to
    the master's times, where the pattern began before its first picture."""
    allowed = max(source.step, float(1 / made.rate)) + 0.02
    shown = sorted(source.times)
    wrong = []
    for time, told in await told_times(made.path):
        expected = shown[max(0, bisect_right(shown, time + 0.001) - 1)] + offset
        if abs((told - expected + 1) % 2 - 1) > allowed:
            wrong.append((time, told))
    return [
        f"{len(wrong)} of {made.frames} frames show another moment: at {one:.3f} s {two:.3f}." for one, two in wrong[:1]
    ]
