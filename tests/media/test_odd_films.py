"""Odd and hostile films, each made, taken through the whole chain's functions, and watched: right, or refused with its reason."""

import re
from fractions import Fraction
from pathlib import Path

import pytest

from marquee.errors import SourceRefused
from tests.media import odd_pictures, packaging, watched
from tests.media.odd import Odd, Shown
from tests.media.whole import Made, ingested

ALL = odd_pictures.FILMS


def named(odds: list[Odd]) -> list[object]:
    return [pytest.param(one, id=one.name) for one in odds]


async def findings(one: Odd, folder: Path) -> list[str]:
    """What is not as expected of a film, one sentence each."""
    path = folder / one.name
    await one.make(path)
    try:
        made = await ingested(path, folder)
    except SourceRefused as refusal:
        if isinstance(one.outcome, str) and re.search(one.outcome, refusal.detail):
            return []
        return [f"It is refused: {refusal.detail}"]
    if isinstance(one.outcome, str):
        return ["It is taken for a film."]
    return await shown_findings(one.outcome, path, made)


async def shown_findings(expected: Shown, path: Path, made: Made) -> list[str]:
    found = list(made.findings)
    variants = await watched.variants(made.folder)
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
    found += await watched.sound_findings(made.folder, frame_seconds=frame, seconds=lasts)
    if expected.alike:
        found += await watched.picture_findings(path, source, top, stream=expected.stream, options=expected.master)
    if expected.clock:
        found += await watched.clock_findings(top, source, offset=expected.offset)
    if expected.audio is not None and len(watched.sounds(made.folder)) < expected.audio:
        found.append(f"It has {len(watched.sounds(made.folder))} tracks of sound, not {expected.audio}: {made.notes}")
    if expected.texts != len(watched.texts(made.folder)):
        found.append(f"It has {len(watched.texts(made.folder))} tracks of text, not {expected.texts}: {made.notes}")
    if expected.beeps:
        found += await beep_findings(made.folder, frame)
    if expected.note and not any(expected.note in note for note in made.notes):
        found.append(f"Nothing says '{expected.note}': {made.notes}")
    return found


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


@pytest.mark.parametrize("one", named([one for one in ALL if not one.soak]))
async def test_an_odd_film_comes_out_right(one: Odd, tmp_path: Path) -> None:
    assert await findings(one, tmp_path) == []


@pytest.mark.soak
@pytest.mark.parametrize("one", named([one for one in ALL if one.soak]))
async def test_every_odd_film_comes_out_right(one: Odd, tmp_path: Path) -> None:
    assert await findings(one, tmp_path) == []
