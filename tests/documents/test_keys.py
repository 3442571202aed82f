"""Keys: what a removal takes away is all of a version or a title, and nothing of another one."""

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.documents import STAGES, keys
from tests.harness.parsing import parsed

PROJECT = Path(__file__).parents[2]
BODY = st.text("0123456789abcdefghijklmnopqrstuv", min_size=1, max_size=20)
MOVIES = BODY.map("m_{}".format)
VERSIONS = st.integers(min_value=1, max_value=2000)


def ingest_keys(movie_id: str, version: int) -> list[str]:
    return [keys.stage_key(movie_id, version, stage) for stage in STAGES]


def published_keys(movie_id: str, version: int) -> list[str]:
    streams, images = keys.published_prefix(movie_id, version), keys.images_prefix(movie_id, version)
    track = keys.track_folder("video", "540p")
    return [
        streams + keys.MASTER_PLAYLIST,
        streams + keys.MPD,
        f"{streams}{track}/{keys.INIT_SEGMENT}",
        f"{streams}{keys.track_folder('text', 'en')}/{keys.CAPTIONS}",
        images + keys.poster(640, 360),
        images + keys.SPRITE_INDEX,
        images + keys.sprite_sheet(1),
        images + keys.sprite_sheet(2),
    ]


def removed(prefixes: keys.Prefixes, movie_id: str, version: int) -> list[bool]:
    """Of each key of a version, whether a removal by these prefixes takes it away."""
    return [key.startswith(prefixes.ingest) for key in ingest_keys(movie_id, version)] + [
        key.startswith(prefixes.published) for key in published_keys(movie_id, version)
    ]


@given(MOVIES, VERSIONS)
def test_everything_of_a_version_goes_with_it_and_with_its_title(movie_id: str, version: int) -> None:
    assert all(removed(keys.prefixes_of_version(movie_id, version), movie_id, version))
    assert all(removed(keys.prefixes_of_title(movie_id), movie_id, version))


@given(MOVIES, VERSIONS, MOVIES, VERSIONS)
def test_nothing_of_another_version_goes_with_it(movie_id: str, version: int, other: str, number: int) -> None:
    if (movie_id, version) != (other, number):
        assert not any(removed(keys.prefixes_of_version(movie_id, version), other, number))
    if movie_id != other:
        assert not any(removed(keys.prefixes_of_title(movie_id), other, number))


@given(BODY, BODY)
def test_nothing_of_another_upload_or_chunk_goes_with_one(one: str, other: str) -> None:
    if one != other:
        assert not keys.master_key(other).startswith(keys.upload_prefix(one))
        assert not keys.sidecar_key(other, "a").startswith(keys.upload_prefix(one))
        assert not keys.chunk_key(keys.chunk_prefix(other), "1-a", "360p").startswith(keys.chunk_prefix(one))
    assert keys.master_key(one).startswith(keys.upload_prefix(one))


@given(BODY, BODY, BODY)
def test_a_chunk_names_its_job(job_id: str, attempt: str, rung: str) -> None:
    assert keys.job_of_chunk(keys.chunk_key(keys.chunk_prefix(job_id), attempt, rung)) == job_id


def test_the_form_of_every_key_stays() -> None:
    """What is stored already has these keys: another form would lose it."""
    assert keys.master_key("u_1") == "uploads/u_1/source"
    assert keys.sidecar_key("u_1", "0a") == "uploads/u_1/sidecars/0a"
    assert keys.stage_key("m_1", 2, "plan") == "titles/m_1/v2/plan.json"
    assert keys.chunk_key(keys.chunk_prefix("ab"), "7-0f", "540p") == "chunks/ab/7-0f/540p.mp4"
    assert keys.published_prefix("m_1", 2) == "m_1/v2/"
    assert keys.images_prefix("m_1", 2) == "images/m_1/v2/"
    assert keys.track_folder("audio", "en-2") == "audio/en-2"
    assert [keys.sprite_sheet(number) for number in (1, 2)] == ["sprite.jpg", "sprite-2.jpg"]


def _texts(path: Path) -> list[str]:
    """Every text of a module but its docstrings; of an f-string the pieces between its values."""
    tree = parsed(path.read_text())
    docstrings = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]


FILE_NAMES = (
    keys.MASTER_PLAYLIST,
    keys.MPD,
    keys.PLAYLIST,
    keys.IFRAME_PLAYLIST,
    keys.INIT_SEGMENT,
    keys.SEGMENT_TEMPLATE,
    keys.CAPTIONS,
    keys.poster(640, 360),
    keys.SPRITE_INDEX,
)
SPELLED = re.compile(rf"^(uploads|titles|chunks|images)/|/v$|(^|/|=)({'|'.join(map(re.escape, FILE_NAMES))})")
OWNER = "marquee/documents/keys.py"
SOURCES = [
    path
    for package in ("marquee", "api", "jobs", "assets", "orchestration")
    for path in (PROJECT / package).rglob("*.py")
    if str(path.relative_to(PROJECT)) != OWNER
]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_no_other_module_spells_a_key(path: Path) -> None:
    spelled = [text for text in _texts(path) if SPELLED.search(text)]
    assert not spelled, f"{path.relative_to(PROJECT)} spells {spelled}: ask marquee/documents/keys.py"
