"""Which matrix, transfer and primaries a picture is believed to have, and what of that is guessed. Pure.

The names are ffmpeg's for ITU-T H.273. zscale refuses missing names, names that it does not know, and pairs that no standard
defines (ICtCp without PQ or HLG): a chunk would fail after the film was accepted. So `believed` gives only what zscale
converts. Each guess is a sentence for the note `colours-guessed`. `check_convertible` refuses matrices whose guess would show
wrong colours for certain. `filters` and `plan_notes` ask.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from marquee.documents import HDR_TRANSFERS, VideoStream
from marquee.errors import SourceRefused

_MATRICES: Final = {
    "bt709", "fcc", "bt470bg", "smpte170m", "smpte240m", "ycgco", "bt2020nc", "bt2020c", "ictcp",
    "chroma-derived-nc", "chroma-derived-c",
}  # fmt: skip
_TRANSFERS: Final = {
    "bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "linear", "log100", "log316", "bt2020-10", "bt2020-12",
    "smpte2084", "iec61966-2-4", "iec61966-2-1", "arib-std-b67",
}  # fmt: skip
_PRIMARIES: Final = {
    "bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "film", "bt2020", "smpte431", "smpte432", "ebu3213",
}  # fmt: skip
"""The names that zscale knows, without XYZ (`smpte428`): no camera and no encoder makes Y'CbCr of it."""
_CONSTANT_LUMINANCE_TRANSFERS: Final = {"bt709", "smpte170m", "smpte240m", "bt2020-10", "bt2020-12"}
_WIDE_MATRICES: Final = {"bt2020nc", "bt2020c", "ictcp"}
_UNLIKELY_TRANSFERS: Final = {"linear", "log100", "log316", "smpte428"}
"""Not converted in an SDR picture of a usual matrix: there, the name is wrong more often than right."""
_WIDE_PRIMARIES: Final = {"bt2020", "smpte431", "smpte432", "film"}
"""Primaries that no SDR rendition may have. All others differ from BT.709's by no more than screens differ from each other."""
_INCONVERTIBLE: Final = {"ipt-c2", "smpte2085", "ycgco-re", "ycgco-ro"}
_RGB: Final = ("gbr", "rgb", "bgr", "argb", "abgr", "0rgb", "0bgr", "x2rgb", "x2bgr", "pal8", "xyz")
_GREY: Final = ("gray", "mono", "ya8", "ya16")
USUAL_MATRICES: Final = {"bt709", "smpte170m", "bt470bg"}


class Colours(NamedTuple):
    """Names that zscale converts, and why some of them are guessed (empty: all are the file's own, or usual)."""

    matrix: str
    transfer: str
    primaries: str
    guesses: list[str]


def is_rgb(pixel_format: str) -> bool:
    """Whether the samples are red, green and blue, whatever matrix the file names."""
    return pixel_format.startswith(_RGB)


def is_hdr(transfer: str | None) -> bool:
    """Whether the transfer is PQ or HLG."""
    return transfer in HDR_TRANSFERS


def is_wide(primaries: str | None) -> bool:
    """Whether the primaries are too wide for SDR."""
    return primaries in _WIDE_PRIMARIES


def believed(video: VideoStream) -> Colours:
    """What a conversion starts from. Missing names become BT.2020's if the file names BT.2020 or HDR anywhere, else BT.709's."""
    wide = video.hdr or video.color_space in _WIDE_MATRICES or video.color_primaries == "bt2020"
    guesses: list[str] = []
    transfer = _transfer(video, wide, guesses)
    primaries = _primaries(video, wide, guesses)
    return Colours(_matrix(video, transfer, primaries, wide, guesses), transfer, primaries, guesses)


def _transfer(video: VideoStream, wide: bool, guesses: list[str]) -> str:
    named = video.color_transfer
    if named is None:
        if wide:
            guesses.append("no transfer is named")
        return "bt709"
    usual = video.color_space in {None, *USUAL_MATRICES} or is_rgb(video.pixel_format)
    if named in _UNLIKELY_TRANSFERS and usual:
        guesses.append(f"the transfer {named} is not believed")
        return "bt709"
    if named not in _TRANSFERS and named != "bt1361e":
        guesses.append(f"the transfer {named} is not known")
    return named if named in _TRANSFERS else "bt709"


def _primaries(video: VideoStream, wide: bool, guesses: list[str]) -> str:
    named = video.color_primaries
    if named in _PRIMARIES:
        return named
    if named is not None:
        guesses.append(f"the primaries {named} are not believed")
    elif video.hdr:
        guesses.append("no primaries are named")
    return "bt2020" if wide else "bt709"


def _matrix(video: VideoStream, transfer: str, primaries: str, wide: bool, guesses: list[str]) -> str:
    named = video.color_space
    if is_rgb(video.pixel_format):
        return "gbr"
    fallback = "bt2020nc" if wide else "bt709"
    if named is None:
        if not video.pixel_format.startswith(_GREY):
            guesses.append("no matrix is named")
        return fallback
    if named == "ictcp":
        defined = transfer in HDR_TRANSFERS and primaries == "bt2020"
    elif named == "bt2020c":
        defined = transfer in _CONSTANT_LUMINANCE_TRANSFERS
    else:
        defined = named in _MATRICES
    if not defined:
        guesses.append(f"the matrix {named} does not fit the rest")
    return named if defined else fallback


def check_convertible(colours: Sequence[str | None]) -> None:
    """Raise `SourceRefused` for a matrix that is not converted here. `colours` is (matrix, primaries, transfer)."""
    matrix = colours[0]
    if matrix in _INCONVERTIBLE:
        raise SourceRefused(
            f"The picture's colours are stored as {matrix}, which cannot be converted here. "
            "Export the film as BT.709, HDR10 or HLG."
        )
