"""Tells a picture that lacks bits from a wrong one, for a rung whose VMAF is below the platform's floor.

A low score has two causes. The ladder gives the picture too few bits (noise, grain, small sizes): the title is published with
a note. Or the picture is wrong (rubble, another picture, one frame late): the title must not be published. So the rung's worst
sample is looked at twice. Its chunk is encoded again from the source, decoded from the film's start: a right rendition scores the
same, a wrong one lower. And both pictures are reduced to thumbnails, from which a lack of bits takes nothing.
Cost: one chunk's encode, of titles below the floor alone. `package.verify.poor_picture` decides by the result.
"""

import re
import tempfile
from pathlib import Path
from typing import Final

import ffmpeg
import msgspec

from marquee.documents import PlanDocument, QualityScore, Rung, SecondLook, SourceDocument
from marquee.errors import ProcessFailed
from marquee.media.encode.plan import chunk_jobs, chunk_of, with_rungs
from marquee.media.encode.quality import compared_pair, score_sample
from marquee.media.encode.samples import Sample, sample_timeout
from marquee.media.encode.transcode import transcode_chunk
from marquee.media.programs import binaries, process

_THUMBNAIL_PIXELS: Final = 32
_MAX_PSNR_DB: Final = 60.0
"""Of equal thumbnails, whose PSNR is infinite."""
_PSNR: Final = re.compile(r"psnr_avg:(\S+)")


async def second_look(
    source: SourceDocument,
    source_path: Path,
    plan: PlanDocument,
    rung: Rung,
    rendition_path: Path,
    score: QualityScore,
    *,
    memory_bytes: int | None = None,
) -> SecondLook:
    """Look at the worst sample of `score` again. `rung` is the rung as it was encoded, `rendition_path` the whole rendition."""
    start = score.worst_start_frame
    sample = Sample(start, min(plan.settings.gop_frames, plan.total_frames - start))
    linear = msgspec.structs.replace(source, seekable=False)
    one_rung = with_rungs(plan, [rung])
    job = chunk_jobs(one_rung, linear)[chunk_of(plan, start).index]
    with tempfile.TemporaryDirectory() as made:
        again = (await transcode_chunk(job, source_path, Path(made), memory_bytes=memory_bytes)).parts[0].path
        ((*values,), *_), _ = await score_sample(
            linear,
            source_path,
            plan,
            [(rung, again)],
            sample,
            memory_bytes=memory_bytes,
            starts_at=job.chunk.start_frame,
        )
        likeness = await _thumbnail_psnr_db(linear, source_path, plan, rendition_path, sample, Path(made), memory_bytes)
    return SecondLook(
        rung=rung.name,
        start_frame=start,
        vmaf=score.vmaf_mean if score.worst_vmaf is None else score.worst_vmaf,
        encoded_again_vmaf=sum(values) / len(values),
        thumbnail_psnr_db=likeness,
    )


async def _thumbnail_psnr_db(
    source: SourceDocument,
    source_path: Path,
    plan: PlanDocument,
    rendition_path: Path,
    sample: Sample,
    folder: Path,
    memory_bytes: int | None,
) -> float:
    """The mean PSNR of the sample's thumbnails, over all three planes, in dB."""
    pair = [
        one.filter("scale", w=_THUMBNAIL_PIXELS, h=_THUMBNAIL_PIXELS, flags="area").filter("format", pix_fmts="yuv444p")
        for one in compared_pair(source, source_path.absolute(), plan, rendition_path.absolute(), sample)
    ]
    compared = ffmpeg.filter(pair, "psnr", stats_file="psnr.log", eof_action="endall")
    output = ffmpeg.output(compared, "-", format="null").global_args("-hide_banner", "-nostdin", "-loglevel", "error")
    argv = output.compile(cmd=str(binaries.vmaf_ffmpeg()))
    await process.run(argv, timeout_seconds=sample_timeout(sample, 1), memory_bytes=memory_bytes, cwd=folder)
    found = [min(_MAX_PSNR_DB, float(value)) for value in _PSNR.findall((folder / "psnr.log").read_text())]
    if not found:
        raise ProcessFailed(f"No frame of {rendition_path.name} from frame {sample.start_frame} on could be compared.")
    return sum(found) / len(found)
