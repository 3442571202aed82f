"""Encoding profiles: the shipped ones are sound, a wrong one is told with its line and a remedy, the hash is the content's."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from marquee.cli import command_line
from marquee.profiles import Av1Video, H264Video, Profile, ProfileInvalid, load_profile, shipped_profiles
from marquee.profiles.contract import profile_fault
from marquee.profiles.loading import SHIPPED, read_profile

GOOD = """\
name: mine
description: A test.
lines: [234, 720]
videos:
  - codec: h264
    preset: medium
    crf: 22
  - codec: av1
    preset: 8
    crf: 35
    optional: true
"""


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_profile_has_its_files_name_and_a_description(path: Path) -> None:
    found = read_profile(path)
    assert found.name == path.stem
    assert found.description, "`marquee profiles` shows it"


def test_a_profile_of_ones_own_is_read_by_its_path(tmp_path: Path) -> None:
    found = load_profile(str(written(tmp_path, GOOD)))
    assert found.codecs == ["h264", "av1"]
    assert found.lines == (234, 720)
    assert found.videos[1].optional
    assert found.videos[1].bit_depth == 10, "AV1 has 10 bits unless the profile says otherwise"


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "remedy"),
    [
        ("preset: medium", "preset: meduim", 6, "videos[0].preset", "Give one of"),
        ("crf: 22", "crf: 99", 7, "videos[0].crf", "from 1 to 51"),
        ("crf: 22", "crf: twenty", 7, "videos[0].crf", "a whole number"),
        ("crf: 22", "film_grain: 8", 7, "videos[0].film_grain", "Known fields:"),
        ("crf: 35", "crf: 64", 10, "videos[1].crf", "from 1 to 63"),
        ("crf: 35", "cfr: 35", 10, "videos[1].cfr", "Did you mean crf?"),
        ("    crf: 35\n", "", 8, "videos[1].crf", "is missing"),
        ("codec: av1", "codec: vp9", 8, "videos[1].codec", "av1, h264, hevc"),
        ("preset: 8", "preset: medium", 9, "videos[1].preset", "from 0 to 13"),
        ("codec: av1\n    preset: 8", "codec: h264\n    preset: fast", 8, "videos[1].codec", "given twice"),
        ("  - codec: h264\n    preset: medium\n    crf: 22\n", "", 5, "videos[0]", "H.264"),
        ("lines: [234, 720]", "lines: [720, 234]", 3, "lines[1]", "from low to high"),
        ("lines: [234, 720]", "lines: []", 3, "lines", "1 to 16"),
        ("lines: [234, 720]", "gop_seconds: 4", 3, "gop_seconds", "a segment would last 12 s"),
        ("lines: [234, 720]", "ladder: dynamic", 3, "ladder", "by-title, fixed"),
        (
            "lines: [234, 720]\nvideos:\n  - codec: h264\n    preset: medium",
            "ladder: by-title\nvideos:\n  - codec: h264\n    preset: slow",
            6,
            "videos[0].preset",
            "one of veryfast, medium",
        ),
        ("lines: [234, 720]", "audio: {stereo_bps: 7}", 3, "audio.stereo_bps", "from 32000"),
        ("lines: [234, 720]", "vidoes: []", 3, "vidoes", "Did you mean videos?"),
        ("optional: true", "optional: maybe", 11, "videos[1].optional", "true or false"),
        ("optional: true", "max_lines: 100", 11, "videos[1].max_lines", "leaves no rung"),
        ("name: mine", "name: My profile!", 1, "name", "a short name"),
        ("    crf: 22", "    crf: 22\n    crf: 23", 8, "", "given twice"),
        ("crf: 22", "crf: &a 22", 7, "", "anchor"),
        ("crf: 22", "crf: !!python/name:os.system 22", 7, "", "Put it in quotes"),
        ("videos:", "videos: [", 5, "", "not YAML"),
    ],
)
def test_a_fault_names_file_line_field_and_remedy(
    old: str, new: str, line: int, field: str, remedy: str, tmp_path: Path
) -> None:
    path = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(ProfileInvalid) as told:
        read_profile(path)
    where = f"{path}, line {line}" + (f", {field}: " if field else ": ")
    assert told.value.detail.startswith(where), told.value.detail
    assert remedy in told.value.detail, told.value.detail


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "holds no fields"),
        ("- 1", "holds no fields"),
        (b"name: \xff", "not UTF-8"),
        ("#" * 70_000, "over 64 KiB"),
        ("[" * 60_000, "more than 8 lists"),
        ("- " * 30_000, "more than 8 lists"),
        ("[" * 8, "not YAML"),
    ],
    ids=["empty", "list", "bytes", "long", "deep", "deep in blocks", "open"],
)
def test_what_is_no_profile_is_told(body: str | bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(ProfileInvalid, match=words):
        read_profile(written(tmp_path, body))


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ProfileInvalid, match=r"fast, .*preview"):
        load_profile("fats")
    with pytest.raises(ProfileInvalid, match="cannot be read"):
        load_profile(str(tmp_path / "none.yaml"))
    with pytest.raises(ProfileInvalid, match="no absolute path"):
        load_profile("profiles/mine.yaml")


@given(st.binary(max_size=200))
def test_any_file_is_read_or_told(body: bytes) -> None:
    path = Path("/dev/shm") / "marquee-any-profile.yaml"
    path.write_bytes(body)
    try:
        with pytest.raises(ProfileInvalid, match=r"line \d+"):
            read_profile(path)
    finally:
        path.unlink()


def test_the_hash_is_that_of_the_content(tmp_path: Path) -> None:
    first = read_profile(written(tmp_path, GOOD))
    same = GOOD.replace("name: mine", "name: other").replace("A test.", "Another.") + "quality: {highest_vmaf: 95.0}\n"
    assert read_profile(written(tmp_path, same)).hash == first.hash, "name, description and defaults are not content"
    for changed in ("crf: 23", "crf: 22\n    max_lines: 1080", "crf: 22\n    optional: false\n    peak_factor: 1.3"):
        assert read_profile(written(tmp_path, GOOD.replace("crf: 22", changed))).hash != first.hash


def test_hashes_of_shipped_profiles_differ() -> None:
    assert len({one.hash for one in shipped_profiles()}) == len(shipped_profiles())


def test_a_hash_stays_the_same_over_releases() -> None:
    """Every title of a profile would be stale after an upgrade that changes it."""
    video = Av1Video(preset=8, crf=35)
    assert Profile(name="x", videos=[H264Video(preset="veryfast"), video]).hash == (
        "7eab4585414d5a71f3acd2aa671b2c803a3d4e4f2d4f513999beb70962077db3"
    )


def test_codecs_are_one_each_and_h264_first() -> None:
    av1 = Av1Video(preset=8, crf=35)
    assert profile_fault(Profile(name="x", videos=[av1])) is not None
    optional = msgspec.structs.replace(H264Video(preset="fast"), optional=True)
    assert profile_fault(Profile(name="x", videos=[optional])) is not None


def test_the_command_lists_and_checks(tmp_path: Path) -> None:
    cli = command_line(["profiles"])
    listed = CliRunner().invoke(cli, ["profiles", "--json"])
    assert [msgspec.json.decode(line)["name"] for line in listed.stdout.splitlines()] == [
        one.name for one in shipped_profiles()
    ]
    checked = CliRunner().invoke(cli, ["profiles", str(written(tmp_path, GOOD))])
    assert checked.exit_code == 0, checked.output
    assert "mine" in checked.output
    wrong = CliRunner().invoke(cli, ["profiles", str(written(tmp_path, GOOD.replace("medium", "meduim")))])
    assert isinstance(wrong.exception, ProfileInvalid)
