"""The profile `fast` makes what releases before profiles made: the same options, settings hashes and chunk ids.

`golden/fast.json` was written by the last release without profiles and is never made again: stored chunks
and plans have these ids.
"""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from marquee.documents import EncodingSettings
from marquee.media.encode.encoders import rung_options
from marquee.media.encode.plan import chunk_jobs, plan, settings_hash
from marquee.profiles import load_profile
from tests.media.encode.test_plan import source

GOLDEN: list[dict[str, Any]] = msgspec.json.decode((Path(__file__).parent / "golden" / "fast.json").read_bytes())
FILMS: dict[str, Any] = {
    "720p25": source(61.0),
    "1080p59.94": source(
        20.0, width=1920, height=1080, display_width=1920, display_height=1080, frame_rate="60000/1001"
    ),
    "portrait, HDR": source(
        13.0,
        width=1080,
        height=1920,
        display_width=1080,
        display_height=1920,
        frame_rate="24000/1001",
        color_transfer="smpte2084",
        color_primaries="bt2020",
        color_space="bt2020nc",
    ),
    "small, interlaced": source(7.0, width=64, height=48, display_width=64, display_height=48, interlaced=True),
}


@pytest.mark.parametrize("golden", GOLDEN, ids=[one["film"] for one in GOLDEN])
def test_fast_is_what_releases_before_profiles_made(golden: dict[str, Any]) -> None:
    film = FILMS[golden["film"]]
    made = plan(film, load_profile("fast"), chunk_segments=3, encoders={"h264": "libx264 core 165, ffmpeg 9.0"})
    assert [rung_options(rung, made.settings, 1) for rung in made.settings.rungs] == golden["options"]
    assert made.settings_hash == golden["settings_hash"], "the settings' identity changed: every stored chunk is lost"
    assert [job.job_id for job in chunk_jobs(made, film)] == golden["job_ids"]


@pytest.mark.parametrize("golden", GOLDEN, ids=[one["film"] for one in GOLDEN])
def test_a_plan_of_an_earlier_release_keeps_its_hash(golden: dict[str, Any]) -> None:
    stored = msgspec.convert(golden["settings"], EncodingSettings)
    assert settings_hash(stored) == golden["settings_hash"]
