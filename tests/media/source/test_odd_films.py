"""Odd and hostile films, made on the spot and taken through the whole chain: a right title, or the right refusal."""

import re
from pathlib import Path

import pytest

from marquee.errors import SourceRefused
from tests.harness.media import odd_containers, odd_files, odd_pictures, odd_sounds, odd_times, pattern, watched
from tests.harness.media.odd import ExpectedTitle, OddFilm
from tests.harness.media.whole import Made, ingested

ALL = [
    *odd_pictures.FILMS,
    *odd_times.FILMS,
    *odd_sounds.FILMS,
    *odd_containers.FILMS,
    *odd_files.FILMS,
]


def named(odds: list[OddFilm]) -> list[object]:
    return [pytest.param(one, id=one.name) for one in odds]


async def findings(one: OddFilm, folder: Path) -> list[str]:
    """Everything that differs from the expected outcome of a film, one sentence each."""
    path = folder / one.name
    await one.make(path)
    try:
        made = await ingested(path, folder)
    except SourceRefused as refusal:
        if isinstance(one.outcome, str) and re.search(one.outcome, refusal.detail):
            return []
        return [f"It was refused unexpectedly: {refusal.detail}"]
    if isinstance(one.outcome, str):
        return [f"It was accepted instead of refused for: {one.outcome}."]
    return await shown_findings(one.outcome, path, made)


async def shown_findings(expected: ExpectedTitle, path: Path, made: Made) -> list[str]:
    """The findings of the blocking checks, and everything wrong in what a viewer sees and hears."""
    found = [*made.findings, *(await pattern.findings(expected, path, made.folder))]
    if expected.note and not any(expected.note in note for note in made.notes):
        found.append(f"Nothing says '{expected.note}': {made.notes}")
    return found


@pytest.mark.parametrize("one", named([one for one in ALL if not one.soak]))
async def test_an_odd_film_comes_out_right(one: OddFilm, tmp_path: Path) -> None:
    assert await findings(one, tmp_path) == []


@pytest.mark.soak
@pytest.mark.parametrize("one", named([one for one in ALL if one.soak]))
async def test_every_odd_film_comes_out_right(one: OddFilm, tmp_path: Path) -> None:
    assert await findings(one, tmp_path) == []


@pytest.mark.soak
@pytest.mark.parametrize("one", named(odd_files.RANDOMLY_DAMAGED))
async def test_a_randomly_damaged_film_is_refused_or_whole(one: OddFilm, tmp_path: Path) -> None:
    """The place of the damage decides which. A published title is never broken."""
    path = tmp_path / one.name
    await one.make(path)
    try:
        made = await ingested(path, tmp_path)
    except SourceRefused:
        return
    top = (await watched.variants(made.folder))[-1]
    assert [*made.findings, *(await watched.undecodable(top.path))] == []
