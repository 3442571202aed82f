"""The one command that scores pictures by libvmaf: each against the same reference, which is decoded once."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import ffmpeg

from marquee.media.programs import binaries


class Compared(NamedTuple):
    """A picture to score, as an ffmpeg-python stream; libvmaf's `model`; the JSON file for its frames' scores."""

    picture: Any
    model: str
    log_path: str


def vmaf_command(
    reference: Any, pictures: Sequence[Compared], *, subsample: int, threads: int, options: Sequence[str] = ()
) -> list[str]:
    """The command that scores every n-th frame (`subsample`) of each picture. `options` are ffmpeg's own, for the whole."""
    shares = reference.filter_multi_output("split", len(pictures)) if len(pictures) > 1 else [reference]
    outputs = []
    for place, one in enumerate(pictures):
        compared = ffmpeg.filter(
            [one.picture, shares[place]],
            "libvmaf",
            model=one.model,
            n_threads=threads,
            n_subsample=subsample,
            log_fmt="json",
            log_path=one.log_path,
            eof_action="endall",
        )
        outputs.append(ffmpeg.output(compared, "-", format="null"))
    argv: list[str] = (
        ffmpeg.merge_outputs(*outputs)
        .global_args("-hide_banner", "-nostdin", "-loglevel", "error", *options)
        .compile(cmd=str(binaries.vmaf_ffmpeg()))
    )
    return argv
