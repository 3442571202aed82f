"""Encoding profiles for tests: quick ones, in each codec, and as files for a platform's `MARQUEE_PROFILE`."""

from pathlib import Path
from typing import Any

from marquee.profiles import Av1Video, H264Video, HevcVideo, Profile, VideoProfile

QUICK = Path(__file__).with_name("quick.yaml")
"""H.264 at ultrafast: what the tests' platforms encode with."""
QUICK_BY_TITLE = Path(__file__).with_name("by_title.yaml")
"""The same, on a ladder that is chosen for each title."""


def h264(preset: Any = "ultrafast") -> Profile:
    return Profile(name="test", videos=[H264Video(preset=preset)])


AV1 = Av1Video(preset=13, crf=40, bitrate_share=0.65)
HEVC = HevcVideo(preset="ultrafast", crf=26, bitrate_share=0.75)


def several(*videos: VideoProfile, **fields: Any) -> Profile:
    """H.264 and these videos."""
    return Profile(name="test", videos=[H264Video(preset="ultrafast"), *videos], **fields)
