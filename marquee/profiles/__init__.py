"""Encoding profiles: what a title is encoded to, as data. Import from here only.

A profile is a YAML file. The shipped ones are in `shipped/`; `MARQUEE_PROFILE` names one of them or a file of one's own.
`contract` has its typed form, `loading` reads it. The stage `plan` turns a profile and a source into a ladder. Next:
`media.encode.plan`.
"""

from marquee.profiles.contract import (
    AudioProfile,
    Av1Video,
    H264Video,
    HevcVideo,
    Profile,
    QualityTargets,
    VideoProfile,
)
from marquee.profiles.loading import ProfileInvalid, load_profile, shipped_profiles

__all__ = [
    "AudioProfile",
    "Av1Video",
    "H264Video",
    "HevcVideo",
    "Profile",
    "ProfileInvalid",
    "QualityTargets",
    "VideoProfile",
    "load_profile",
    "shipped_profiles",
]
