"""Joins the chunks of one rung into one rendition, without encoding again.

Reads the chunk files in order; writes one MP4 whose frames lie exactly on the frame grid: frame n at n * denominator ticks
of a timescale that is a multiple of the rate's numerator. The concat demuxer's own times are not used: the demuxer adds
durations in microseconds, and drifts off the grid at odd rates. `setts` puts every timestamp on the grid. Afterwards every
packet is checked (`seam_problem`); a rendition that fails is removed. Next: `package`.
"""

import shutil
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

from marquee.documents import Codec
from marquee.errors import ProcessFailed
from marquee.media.programs import binaries, process

MIN_TIMESCALE = 10_000
"""At least this many ticks a second. Players and the packager round times to ticks (edit lists, EXTINF): 0.1 ms is far below a
frame."""


def video_timescale(frame_rate: Fraction) -> int:
    """Ticks a second of a rendition: a multiple of the rate's numerator, so that a frame lasts a whole number of ticks."""
    return frame_rate.numerator * -(-MIN_TIMESCALE // frame_rate.numerator)


def frame_ticks(frame_rate: Fraction) -> int:
    """Ticks of one frame in `video_timescale`."""
    return int(video_timescale(frame_rate) / frame_rate)


CONFIGURATION_BOXES: Final[Mapping[Codec, bytes]] = {"h264": b"avcC", "hevc": b"hvcC", "av1": b"av1C"}
_PARAMETER_SETS: Final[Mapping[Codec, str]] = {
    # The demuxer gives Annex B with each part's parameter sets in band. `avc1` and `hvc1` forbid them there, and the sample entry
    # has them: `filter_units` drops them (H.264's SPS and PPS; HEVC's VPS, SPS and PPS).
    "h264": "filter_units=remove_types=7-8,",
    "hevc": "filter_units=remove_types=32-34,",
    # A sync sample of `av01` begins with its sequence header.
    "av1": "",
}


def codec_of(path: Path) -> Codec | None:
    """The codec of an MP4 with one video track, by its decoder configuration; None where there is none."""
    return next((codec for codec in CONFIGURATION_BOXES if decoder_configuration(path, codec)), None)


def decoder_configuration(path: Path, codec: Codec = "h264") -> bytes:
    """The content of an MP4's `avcC`, `hvcC` or `av1C` box (profile and parameter sets); empty where the file has no such box."""
    name = CONFIGURATION_BOXES[codec]
    with path.open("rb") as file:
        while len(header := file.read(8)) == 8:
            size, kind = int.from_bytes(header[:4], "big"), header[4:]
            read = 8
            if size == 1:
                size, read = int.from_bytes(file.read(8), "big"), 16
            if kind == b"moov":
                moov = file.read(size - read)
                at = moov.find(name)
                return moov[at + 4 : at - 4 + int.from_bytes(moov[at - 4 : at], "big")] if at >= 4 else b""
            if size < read:
                break
            file.seek(size - read, 1)
    return b""


def _list_text(parts: Sequence[str]) -> str:
    """The concat demuxer's script. All names in it are made here: they need no quoting and satisfy `-safe 1`."""
    return "ffconcat version 1.0\n" + "".join(f"file '{name}'\n" for name in parts)


def join_arguments(script: Path, out: Path, frame_rate: Fraction, codec: Codec) -> list[str]:
    """The command that joins the parts named in `script`."""
    timescale, ticks = video_timescale(frame_rate), frame_ticks(frame_rate)
    # `setts` puts both presentation and decoding times on the grid; B-frames keep their order.
    # The first `setts` only changes to the timescale, because expressions count in the ticks of their input.
    grid = f"setts=time_base=1/{timescale}:pts=PTS:dts=DTS,setts=duration={ticks}" + "".join(
        f":{kind.lower()}=round({kind}*TB*{frame_rate.numerator}/{frame_rate.denominator})*{ticks}"
        for kind in ("PTS", "DTS")
    )
    return [
        str(binaries.ffmpeg()),
        *("-hide_banner", "-nostdin", "-v", "error", "-y"),
        # The pixels are upright already. A rotation inherited from the source's frames would turn them again.
        *("-display_rotation:v:0", "0"),
        *("-protocol_whitelist", "file", "-f", "concat", "-safe", "1", "-i", str(script)),
        *("-map", "0:v:0", "-c", "copy", "-bsf:v", _PARAMETER_SETS[codec] + grid),
        # HEVC stays `hvc1`: by itself the muxer writes `hev1`, which Apple's devices do not play.
        *(("-tag:v", "hvc1") if codec == "hevc" else ()),
        *("-video_track_timescale", str(timescale), "-f", "mp4", str(out)),
    ]


async def join_rendition(parts: Sequence[Path], out: Path, *, frame_rate: Fraction, frames: int) -> None:
    """Join the chunks of one rung, in order, into `out`: `frames` frames from time 0, without gap or overlap.

    Raises `ProcessFailed`, which names the chunk or the frame, if the chunks do not fit together. `out` is then removed.
    """
    if not parts:
        raise ProcessFailed(f"The rendition {out.name} cannot be joined: there are no chunks.")
    codec = codec_of(parts[0])
    if codec is None:
        raise ProcessFailed(
            f"The rendition {out.name} cannot be joined: chunk 0 has no picture of a codec that is known here."
        )
    first = decoder_configuration(parts[0], codec)
    for index, part in enumerate(parts):
        if decoder_configuration(part, codec) != first:
            raise ProcessFailed(
                f"Chunk {index} was encoded with other parameter sets than chunk 0: the chunks do not belong to one rendition."
            )
    folder = out.parent / f".{out.name}.parts"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        names = [f"{index:06d}.mp4" for index in range(len(parts))]
        for name, part in zip(names, parts, strict=True):
            (folder / name).symlink_to(part.resolve())
        script = folder / "list.ffconcat"
        script.write_text(_list_text(names))
        size = sum(part.stat().st_size for part in parts)
        await process.run(join_arguments(script, out, frame_rate, codec), timeout_seconds=120 + size / 5e6)
        problem = await seam_problem(out, frame_rate=frame_rate, frames=frames)
        if problem:
            raise ProcessFailed(f"The joined rendition {out.name} is not continuous: {problem}.")
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def seam_problem(path: Path, *, frame_rate: Fraction, frames: int) -> str | None:
    """What is wrong with a rendition's timestamps, as the end of a sentence; None if every frame is exactly on the grid."""
    listing = await process.run(
        [
            str(binaries.ffprobe()),
            *("-v", "error", "-protocol_whitelist", "file", "-select_streams", "v:0"),
            *("-show_entries", "stream=time_base:packet=pts,dts,flags", "-of", "csv=p=0", str(path)),
        ],
        timeout_seconds=120 + path.stat().st_size / 5e6,
    )
    ticks, timescale = frame_ticks(frame_rate), video_timescale(frame_rate)
    shown: list[int] = []
    last_decoded: int | None = None
    for line in listing.stdout.decode("ascii", "replace").split():
        fields = line.rstrip(",").split(",")
        if len(fields) == 1:
            if fields[0] != f"1/{timescale}":
                return f"its time base is {fields[0]}, not 1/{timescale}"
            continue
        pts, dts = int(fields[0]), int(fields[1])
        if last_decoded is not None and dts <= last_decoded:
            return f"decoding time goes back from {last_decoded} to {dts}"
        last_decoded = dts
        if not shown and "K" not in fields[2]:
            return "it does not start with a key frame"
        shown.append(pts)
    if len(shown) != frames:
        return f"it has {len(shown)} frames, not {frames}"
    for index, pts in enumerate(sorted(shown)):
        if pts != index * ticks:
            return f"frame {index} is at {pts / timescale:.6f} s, not at {index * ticks / timescale:.6f} s"
    return None
