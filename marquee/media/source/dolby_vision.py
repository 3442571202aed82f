"""Whether a Dolby Vision picture can be shown: by its base layer, if that is HDR10, HLG or SDR.

Profile 5 has no such base layer: its samples are IPT-PQ-C2, reshaped for each picture. Shown as Y'CbCr, it is green and purple.
Only libplacebo converts it, and that needs a Vulkan driver, which no wheel brings (ADR 26). Such a film is refused before
anything is made of it. Reads the configuration record (MP4 `dvcC`/`dvvC`, Matroska BlockAdditionMapping, descriptor 0xB0 of a
transport stream), the sample entry's name, and the metadata (RPU) of the decoded pictures. `judge` and `source_streams` ask.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from marquee.errors import SourceRefused

SAMPLE_ENTRIES: Final = frozenset({"dvh1", "dvhe", "dva1", "dvav", "dav1", "dvi1"})
"""MP4 names of samples that a player without Dolby Vision must not show."""
HDR10: Final = "HDR10"
HLG: Final = "HLG"
SDR: Final = "SDR"
_BY_COMPATIBILITY: Final = {1: HDR10, 2: SDR, 4: HLG, 6: HDR10}
"""By `bl_signal_compatibility_id`. 0 is none, and also what older files without the field seem to say."""
_BY_PROFILE: Final = {0: SDR, 2: SDR, 4: SDR, 6: HDR10, 7: HDR10, 9: SDR}
"""Profiles that have one base layer, whatever the identifier says."""
_WITHOUT_BASE: Final = frozenset({1, 3, 5})
_BY_TRANSFER: Final = {"smpte2084": HDR10, "arib-std-b67": HLG}
_COLOURS: Final = {HDR10: ("bt2020nc", "bt2020", "smpte2084"), HLG: ("bt2020nc", "bt2020", "arib-std-b67")}
"""(matrix, primaries, transfer) of a base layer whose samples do not name them."""
_REMEDY: Final = "Export the film as HDR10, HLG or SDR (BT.709), or as Dolby Vision profile 8.1."


class DolbyVision(msgspec.Struct, frozen=True):
    """What a stream says of itself. `profile` None: only the sample entry's name says that it is Dolby Vision."""

    profile: int | None = None
    compatibility: int = 0
    has_base: bool = True
    """False for the second track of a film in two layers: it holds only the enhancement."""

    @property
    def name(self) -> str:
        """`profile 8.1`, as people write it."""
        if self.profile is None:
            return "of an unknown profile"
        return f"profile {self.profile}" + (f".{self.compatibility}" if self.profile in {8, 9, 10, 20} else "")


def claimed(raw: dict[str, Any]) -> DolbyVision | None:
    """What ffprobe's description of a stream says."""
    for side in raw.get("side_data_list", []):
        if "dv_profile" in side:
            return DolbyVision(
                int(side["dv_profile"]),
                int(side.get("dv_bl_signal_compatibility_id", 0)),
                bool(side.get("bl_present_flag", 1)),
            )
    return DolbyVision() if raw.get("codec_tag_string") in SAMPLE_ENTRIES else None


def of_metadata(rpu_profile: int, full_range: bool) -> DolbyVision:
    """What a decoded picture's metadata says, in a file without a configuration record.

    Metadata profile 0 with full range is profile 5. All others have a base layer, which is what the samples say.
    """
    return DolbyVision(5) if rpu_profile == 0 and full_range else DolbyVision()


def base_layer(vision: DolbyVision, colours: Sequence[str | None]) -> str | None:
    """`HDR10`, `HLG` or `SDR`; None if a player without Dolby Vision cannot show the picture.

    `colours` are the samples' own names (matrix, primaries, transfer). They decide where the record does not: a base layer in
    IPT-PQ-C2 never names a matrix of Y'CbCr.
    """
    if vision.profile in _WITHOUT_BASE or not vision.has_base:
        return None
    if known := _BY_COMPATIBILITY.get(vision.compatibility) or _BY_PROFILE.get(
        -1 if vision.profile is None else vision.profile
    ):
        return known
    if vision.profile in {10, 20} and vision.compatibility == 0:
        return None
    matrix, _, transfer = colours
    if matrix in {None, "ictcp", "ipt-c2", "gbr"} or transfer is None:
        return None
    return _BY_TRANSFER.get(transfer, SDR)


def colours_of_base(vision: DolbyVision, colours: Sequence[str | None]) -> tuple[str | None, str | None, str | None]:
    """(matrix, primaries, transfer) of the picture: the samples' own names, completed by what the profile prescribes."""
    matrix, primaries, transfer = colours
    prescribed = _COLOURS.get(base_layer(vision, colours) or "")
    if prescribed is None or transfer is not None:
        return matrix, primaries, transfer
    return matrix or prescribed[0], primaries or prescribed[1], prescribed[2]


def check_base_layer(vision: DolbyVision | None, colours: Sequence[str | None]) -> None:
    """Raise `SourceRefused` if the picture is Dolby Vision without a base layer that can be shown."""
    if vision is None or base_layer(vision, colours) is not None:
        return
    if not vision.has_base:
        raise SourceRefused(
            f"The picture is only the enhancement layer of a Dolby Vision film ({vision.name}): it adds to another picture, "
            "which is missing. Upload the film with its base layer."
        )
    if vision.profile is None:
        raise SourceRefused(
            "The picture is Dolby Vision, and the file says neither which profile nor which colours its base layer has. "
            f"{_REMEDY}"
        )
    raise SourceRefused(
        f"The picture is Dolby Vision {vision.name}, without a base layer in HDR10, HLG or SDR. Its colours (IPT-PQ-C2) cannot "
        f"be converted here. {_REMEDY}"
    )
