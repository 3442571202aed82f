"""Encodes one chunk of a title in one codec, all its rungs in one ffmpeg call: decoded once and scaled down the ladder.

Chunks are exact to the frame. Decoding starts at a key frame before the chunk, if the chunk's first pictures are then those of
the linear decode (`seeking.proven_margin`), else at the film's start. Every frame keeps its time on the title's clock, and only
the chunk's frames of the constant grid are encoded.
All chunks share the encoder's options (`encoders`), hence their parameter sets, and start with a key frame: `join` needs no
second encode.
The frames of the result are counted. If the count is short after a seek, or a decoder complained where it does not in the linear
decode, the chunk is encoded once more from the film's start.
Reads the source file and a `ChunkJob`; writes one MP4 a rung. Next: `join`.
"""

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import ffmpeg
import msgspec

from marquee.documents import ChunkJob, Codec, Rung, SourceDocument
from marquee.errors import ProcessFailed
from marquee.logs import get_logger
from marquee.media.encode.encoders import ENCODERS, rung_options
from marquee.media.encode.filter_text import apply, chunk_chain
from marquee.media.encode.sample_table import sample_count
from marquee.media.encode.seek_proof import has_complaints, prove_seek
from marquee.media.programs import binaries, process
from marquee.media.programs.process import Progress
from marquee.media.source.probe import untrusted_input
from marquee.media.source.seeking import seek_input

log = get_logger()

_TIMEOUT_BASE_SECONDS: Final = 300.0
_TIMEOUT_PER_DECODED_FRAME_SECONDS: Final = 0.5
"""For the frames before the chunk, where decoding starts at the film's start."""
_VERSION: Final[dict[Codec, re.Pattern[bytes]]] = {
    "h264": re.compile(rb"x264 - core (\d+)"),
    "hevc": re.compile(rb"HEVC encoder version (\S+)"),
    "av1": re.compile(rb"SVT-AV1 Encoder Lib (\S+)"),
}
_VERSIONED: Final[dict[Codec, str]] = {"h264": "libx264 core {}", "hevc": "libx265 {}", "av1": "SVT-AV1 {}"}


class EncodedPart(msgspec.Struct, frozen=True):
    """One rung of a chunk: its name, its file, and the number of frames counted in the file."""

    rung: str
    path: Path
    frames: int


class EncodedChunk(msgspec.Struct, frozen=True):
    """All rungs of a chunk, in the ladder's order: the smallest first."""

    parts: list[EncodedPart]
    cpu_seconds: float
    wall_seconds: float
    decoded_again: bool = False
    """Whether the chunk failed after a seek and was decoded from the film's start."""


async def transcode_chunk(
    job: ChunkJob,
    source_path: Path,
    folder: Path,
    *,
    memory_bytes: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    threads: int = 1,
) -> EncodedChunk:
    """Encode all rungs of `job` from `source_path` to `folder/{rung}.mp4`, and count their frames.

    `threads` is the number for the decoder and for each encoder. One is right where as many workers run as there are cores: it
    is cheapest, and the result does not depend on the machine. Raises `ProcessFailed` with ffmpeg's own words, or if frames
    are missing.
    """
    begin, length = job.chunk.start_frame, job.chunk.frames
    # Proven are the first pictures, which depend on where decoding starts. Errors count over the whole chunk. Where the linear
    # decode has errors too, they tell nothing: then every picture of the chunk is proven.
    damaged = has_complaints(job.source, job.settings, begin, length)
    proven = length if damaged else min(length, job.settings.gop_frames)
    proof = await prove_seek(
        job.source, source_path, job.settings, begin, proven, threads=threads, memory_bytes=memory_bytes
    )
    reason = "no seek shows the pictures of the linear decode"
    if proof is not None:
        try:
            encoded, errors = await _encode(
                job, source_path, folder, memory_bytes, on_progress, threads, margin_seconds=proof.margin_seconds
            )
            if damaged or errors <= proof.errors:
                return msgspec.structs.replace(encoded, cpu_seconds=encoded.cpu_seconds + proof.cpu_seconds)
            reason = f"{errors} errors instead of {proof.errors}"
        except ProcessFailed as error:
            reason = error.detail
    again, _ = await _encode(job, source_path, folder, memory_bytes, on_progress, threads, margin_seconds=None)
    if not job.source.seekable or begin == 0:
        return again
    log.info("chunk decoded from the film's start", chunk=job.chunk.index, reason=reason[-500:])
    return msgspec.structs.replace(again, decoded_again=True)


async def _encode(
    job: ChunkJob,
    source_path: Path,
    folder: Path,
    memory_bytes: int | None,
    on_progress: Callable[[Progress], None] | None,
    threads: int,
    *,
    margin_seconds: float | None,
) -> tuple[EncodedChunk, int]:
    """The chunk, and the number of error lines that ffmpeg printed. `margin_seconds`: see `chunk_picture`."""
    paths = {rung.name: folder / f"{rung.name}.mp4" for rung in job.settings.rungs}
    before = job.chunk.start_frame if margin_seconds is None else 0
    errors = 0

    def complain(line: str) -> None:
        nonlocal errors
        # SVT-AV1 prints its configuration whatever ffmpeg's log level is.
        errors += bool(line.strip()) and not line.startswith(("Svt[info]", "Svt[warn]"))

    finished = await process.run(
        chunk_arguments(job, source_path, paths, margin_seconds=margin_seconds, threads=threads),
        timeout_seconds=_TIMEOUT_BASE_SECONDS
        + ENCODERS[job.settings.codec].seconds_per_frame(job.settings) * job.chunk.frames
        + _TIMEOUT_PER_DECODED_FRAME_SECONDS * before,
        memory_bytes=memory_bytes,
        on_progress=on_progress,
        on_stderr_line=complain,
    )
    parts = []
    for name, path in paths.items():
        frames = sample_count(path)
        if frames != job.chunk.frames:
            raise ProcessFailed(
                f"Rung {name} of chunk {job.chunk.index} has {frames} frames instead of {job.chunk.frames}. "
                f"{finished.stderr_tail}".strip()
            )
        parts.append(EncodedPart(name, path, frames))
    return EncodedChunk(parts, finished.cpu_seconds, finished.wall_seconds), errors


def chunk_arguments(
    job: ChunkJob, source_path: Path, paths: dict[str, Path], *, margin_seconds: float | None, threads: int
) -> list[str]:
    """The one command of a chunk. `margin_seconds`: see `chunk_picture`."""
    top = chunk_picture(job, source_path, margin_seconds=margin_seconds, threads=threads)
    outputs = [
        ffmpeg.output(stream, str(paths[rung.name]), **rung_options(rung, job.settings, threads))
        for rung, stream in _down_the_ladder(top, job.settings.rungs)
    ]
    argv: list[str] = (
        ffmpeg.merge_outputs(*outputs)
        .global_args("-hide_banner", "-nostdin", "-loglevel", "repeat+error", "-filter_complex_threads", str(threads))
        .overwrite_output()
        .compile(cmd=str(binaries.picture_ffmpeg()))
    )
    return argv


def chunk_picture(job: ChunkJob, source_path: Path, *, margin_seconds: float | None, threads: int = 1) -> Any:
    """The chunk's frames at the top rung's size, before encoding, as an ffmpeg-python stream.

    Decoding starts `margin_seconds` or more before the chunk; None: at the film's start.
    """
    start = job.chunk.start_frame / Fraction(job.settings.frame_rate)
    picture = source_picture(job.source, source_path, start, margin_seconds=margin_seconds, threads=threads)
    return apply(picture, chunk_chain(job.settings.filters, job.chunk.start_frame, job.chunk.frames))


def source_picture(
    source: SourceDocument, path: Path, at_seconds: Fraction, *, margin_seconds: float | None, threads: int
) -> Any:
    """The source's picture before any filter, decoded from `margin_seconds` or more before `at_seconds` of the title.

    `margin_seconds` is one that was proven; None: decoded from the film's start.

    The stored rotation is removed, because the filter chain turns the picture: the rendition would be turned twice. One filter
    graph (`reinit_filter` 0) serves the whole picture, even if its size changes midway: a new graph would count from 0 again.
    """
    video = source.video
    one_graph: dict[str, Any] = {"reinit_filter": 0}
    if margin_seconds is not None:
        at = video.start_seconds + float(at_seconds)
        opened = ffmpeg.input(**seek_input(path, at, margin_seconds=margin_seconds, threads=threads, **one_graph))
    else:
        clock = {"copyts": None} if video.clock == "container" else {}
        opened = ffmpeg.input(
            **untrusted_input(path), threads=threads, noautorotate=None, display_rotation=0, **clock, **one_graph
        )
    return opened[str(video.index)]


def _down_the_ladder(top: Any, rungs: list[Rung]) -> list[tuple[Rung, Any]]:
    """Each rung with its picture, scaled from the rung above: a 234-line picture costs a tenth if made of 360 lines, not 1080."""
    found = []
    for rung, below in zip(reversed(rungs), [*reversed(rungs[:-1]), None], strict=True):
        if below is None:
            found.append((rung, top))
            break
        split = top.filter_multi_output("split")
        found.append((rung, split[0]))
        top = split[1].filter("scale", w=below.width, h=below.height).filter("setsar", sar="1")
    return list(reversed(found))


async def encoder_versions(codecs: Sequence[Codec]) -> dict[Codec, str]:
    """Each encoder's version with ffmpeg's, as plans store it: "libx264 core 165, ffmpeg 7.0.2". Another makes other bytes."""
    return {codec: await _version(codec, str(binaries.picture_ffmpeg())) for codec in codecs}


_versions: Final[dict[tuple[Codec, str], str]] = {}
"""Versions by codec and program. Asking costs two runs of ffmpeg, so it is done once a process."""


async def _version(codec: Codec, program: str) -> str:
    if (codec, program) not in _versions:
        library = ENCODERS[codec].library
        grey = ffmpeg.input("color=size=64x64:rate=1", format="lavfi")
        # H.264 has its version in the stream, the others print it.
        out = ffmpeg.output(grey, "-", format="h264" if codec == "h264" else "null", **{"c:v": library, "frames:v": 1})
        made = await process.run(out.compile(cmd=program), timeout_seconds=60)
        told = made.stdout if codec == "h264" else made.stderr_tail.encode()
        found = _VERSION[codec].search(told)
        banner = (await process.run([program, "-version"], timeout_seconds=30)).stdout.split()
        if found is None:
            # Without the version, chunks of different encoders would share an id.
            raise ProcessFailed(f"The version of {library} cannot be read from what {program} prints: {told[-300:]!r}.")
        number = found[1].decode()
        _versions[codec, program] = f"{_VERSIONED[codec].format(number)}, ffmpeg {banner[2].decode()}"
    return _versions[codec, program]
