"""Dolby Vision: refused without a base layer, shown by its base layer with a note, in every container and however it is said."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marquee.documents import SourceDocument
from marquee.errors import SourceRefused
from marquee.media.source.claims import SourceLimits
from marquee.media.source.dolby_vision import DolbyVision, base_layer
from marquee.media.source.judge import judge
from tests.harness.media import dolby
from tests.harness.media.films import planned
from tests.harness.media.packaging import ffmpeg

PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=128x96:r=25:d=0.4", "-pix_fmt", "yuv420p10le")
HEVC = ("-c:v", "libx265", "-x265-params", "log-level=none", "-tag:v", "hvc1")
CODECS = {
    "hevc": HEVC,
    "h264": ("-c:v", "libx264", "-pix_fmt", "yuv420p"),
    "av1": ("-c:v", "libsvtav1", "-preset", "12"),
}
ENTRIES = {"hevc": b"dvh1", "h264": b"dva1", "av1": b"dav1"}


def named(transfer: str | None) -> Sequence[str]:
    if transfer is None:
        return ()
    matrix = "bt709" if transfer == "bt709" else "bt2020"
    space = "bt709" if transfer == "bt709" else "bt2020nc"
    return ("-vf", f"setparams=color_trc={transfer}:color_primaries={matrix}:colorspace={space}:range=tv")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dolby")


async def base_film(folder: Path, codec: str, transfer: str | None) -> bytes:
    made = folder / f"{codec}-{transfer}.mp4"
    if not made.exists():
        await ffmpeg(*PICTURE, *named(transfer), *CODECS[codec], made)
    return made.read_bytes()


async def judged(path: Path) -> SourceDocument:
    told = {"movie_id": "m", "version": 1, "upload_id": "u", "key": "k", "file_name": path.name, "sha256": "0"}
    return await judge(path, **told, limits=SourceLimits())  # type: ignore[arg-type]


async def contained(folder: Path, container: str, base: bytes, profile: int, compatibility: int) -> Path:
    name = b"dvcC" if profile <= 7 else b"dvvC" if profile <= 10 else b"dvwC"
    mp4 = folder / f"{profile}.{compatibility}.mp4"
    mp4.write_bytes(dolby.with_box(base, name, dolby.record(profile, compatibility)))
    if container == "mp4":
        return mp4
    made = mp4.with_suffix(f".{container}")
    await ffmpeg("-i", mp4, "-c", "copy", "-strict", "unofficial", made)
    if container == "ts":
        made.write_bytes(dolby.with_descriptor(made.read_bytes(), profile, compatibility))
    return made


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize(
    ("codec", "profile", "compatibility", "transfer"),
    [("hevc", 5, 0, None), ("hevc", 5, 0, "smpte2084"), ("hevc", 20, 0, None), ("av1", 10, 0, None)],
)
async def test_without_a_base_layer_it_is_refused(
    films: Path, container: str, codec: str, profile: int, compatibility: int, transfer: str | None
) -> None:
    if (codec == "av1" and container == "ts") or (profile == 20 and container == "mkv"):
        pytest.skip("ffmpeg does not write AV1 into transport streams, nor this profile into Matroska.")
    path = await contained(films, container, await base_film(films, codec, transfer), profile, compatibility)
    with pytest.raises(SourceRefused, match=rf"Dolby Vision profile {profile}.*HDR10.*Export the film"):
        await judged(path)


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize(
    ("codec", "profile", "compatibility", "transfer", "base"),
    [
        ("hevc", 8, 1, "smpte2084", "HDR10"),
        ("hevc", 8, 1, None, "HDR10"),
        ("hevc", 8, 2, "bt709", "SDR"),
        ("hevc", 8, 4, "arib-std-b67", "HLG"),
        ("hevc", 8, 4, None, "HLG"),
        ("hevc", 7, 6, "smpte2084", "HDR10"),
        ("hevc", 4, 2, "bt709", "SDR"),
        ("h264", 9, 2, "bt709", "SDR"),
        ("av1", 10, 1, "smpte2084", "HDR10"),
        ("av1", 10, 4, "arib-std-b67", "HLG"),
    ],
)
async def test_a_base_layer_is_used_and_noted(
    films: Path, container: str, codec: str, profile: int, compatibility: int, transfer: str | None, base: str
) -> None:
    if codec == "av1" and container == "ts":
        pytest.skip("ffmpeg has no AV1 in transport streams.")
    path = await contained(films, container, await base_film(films, codec, transfer), profile, compatibility)
    source = await judged(path)
    [told] = [one.sentence for one in source.notes if one.code == "dolby-vision-base"]
    assert f"profile {profile}" in told
    assert f"({base})" in told
    assert source.video.hdr == (base != "SDR")
    made = planned(source)
    assert any(one.code == "hdr-converted" for one in made.notes) == source.video.hdr


@pytest.mark.parametrize("codec", ["hevc", "h264"])
async def test_a_name_without_a_record_is_judged_by_the_colours(films: Path, codec: str) -> None:
    unnamed, known = films / f"entry-{codec}.mp4", films / f"entry-{codec}-pq.mp4"
    unnamed.write_bytes(dolby.with_box(await base_film(films, codec, None), None, entry=ENTRIES[codec]))
    known.write_bytes(dolby.with_box(await base_film(films, codec, "smpte2084"), None, entry=ENTRIES[codec]))
    with pytest.raises(SourceRefused, match="Dolby Vision, and the file says neither"):
        await judged(unnamed)
    assert "dolby-vision-base" in {one.code for one in (await judged(known)).notes}


@pytest.mark.parametrize("container", ["hevc", "mkv"])
async def test_metadata_without_a_record_is_enough(films: Path, container: str) -> None:
    plain = films / "plain.hevc"
    await ffmpeg(*PICTURE, "-c:v", "libx265", "-x265-params", "log-level=none:bframes=0", plain)
    path = films / "profile5-rpu.hevc"
    path.write_bytes(dolby.with_metadata(plain.read_bytes(), dolby.rpu(0, full_range=True)))
    if container == "mkv":
        await ffmpeg("-i", path, "-c", "copy", "-bsf:v", "setts=ts=N*0.04/TB", films / "profile5-rpu.mkv")
        path = films / "profile5-rpu.mkv"
    with pytest.raises(SourceRefused, match="Dolby Vision profile 5"):
        await judged(path)


async def test_metadata_over_hdr10_is_noted(films: Path) -> None:
    plain, path = films / "plain10.hevc", films / "profile8-rpu.hevc"
    await ffmpeg(*PICTURE, *named("smpte2084"), *HEVC[:-2], plain)
    path.write_bytes(dolby.with_metadata(plain.read_bytes(), dolby.rpu(1, full_range=False)))
    source = await judged(path)
    assert source.video.hdr
    assert "dolby-vision-base" in {one.code for one in source.notes}


async def test_the_enhancement_layer_is_never_the_picture(films: Path) -> None:
    base, enhancement, both = films / "bl.mp4", films / "el.mp4", films / "two-layers.mp4"
    film = await base_film(films, "hevc", "smpte2084")
    base.write_bytes(dolby.with_box(film, b"dvcC", dolby.record(7, 6)))
    record = dolby.record(7, 6, has_base=False, has_enhancement=True)
    enhancement.write_bytes(dolby.with_box(film, b"dvcC", record))
    with pytest.raises(SourceRefused, match="only the enhancement layer"):
        await judged(enhancement)
    await ffmpeg("-i", enhancement, "-i", base, "-map", "0", "-map", "1", "-c", "copy", "-strict", "unofficial", both)
    assert (await judged(both)).video.index == 1


@given(profile=st.integers(0, 127), compatibility=st.integers(0, 15))
def test_every_pair_has_an_answer(profile: int, compatibility: int) -> None:
    found = base_layer(DolbyVision(profile, compatibility), ("bt2020nc", "bt2020", "smpte2084"))
    assert found in {None, "HDR10", "HLG", "SDR"}
    assert (found is None) >= (profile in {1, 3, 5})


def test_profile_0_has_an_sdr_base_layer_even_if_its_samples_say_nothing() -> None:
    assert base_layer(DolbyVision(0), (None, None, None)) == "SDR"
