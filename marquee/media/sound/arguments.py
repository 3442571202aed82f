"""The ffmpeg command that encodes a title's sound: every mix of one source, each stream decoded once.

Time 0 is the title's first picture. Earlier sound is cut; a late start, gaps and an early end become silence; slow drift is
corrected. `audio` runs the command.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import ffmpeg

from marquee.documents import AudioBitrates
from marquee.media.programs import binaries
from marquee.media.sound.mixes import AudioMix
from marquee.media.sound.uniform_audio import SAMPLE_RATE
from marquee.media.source.clock import Clock
from marquee.media.source.probe import untrusted_input

FRAME_SAMPLES: Final = 1024
"""Samples in an AAC-LC packet. ffmpeg's encoder also delays its output by this many."""
BITRATES: Final = AudioBitrates()
LAYOUTS: Final = {2: "stereo", 6: "5.1"}


def packets(duration_seconds: float) -> int:
    """AAC packets that cover the picture. The last one starts before the picture ends: else it might be a segment of its own."""
    return max(2, -(-round(duration_seconds * SAMPLE_RATE) // FRAME_SAMPLES))


def _on_picture_clock(stream: Any, clock: Clock) -> Any:
    """A source stream on the picture's clock, at 48 kHz.

    Jumps over 40 ms (a frame) are filled with silence or cut. Below that, the rate changes by at most 100 samples a second
    (0.2 %, a 28th of a semitone), which corrects the drift of a free-running recorder.
    """
    placed = "N/SR/TB" if clock.counted else f"PTS-({clock.start_seconds:.9f})/TB"
    return stream.filter("asetpts", placed).filter(
        "aresample", SAMPLE_RATE, **{"async": 100}, min_hard_comp=0.04, first_pts=0
    )


def _silence() -> Any:
    return ffmpeg.input(f"anullsrc=channel_layout=mono:sample_rate={SAMPLE_RATE}", format="lavfi")


def _heard(mix: AudioMix, index: int, stream: Any) -> Any:
    """A stream as it is to be heard. One channel with a place (FL) would be heard in one ear, and 3 dB too low in a mix."""
    return stream.filter("channelmap", map=0, channel_layout="mono") if index in mix.placed else stream


def _mix_down(stream: Any, channels: int) -> Any:
    """Mixes to the rendition's layout by ITU-R BS.775 coefficients. In stereo, peaks over full scale are limited, not clipped."""
    shaped = stream.filter("aformat", sample_fmts="fltp", channel_layouts=LAYOUTS[channels])
    return shaped.filter("alimiter", limit=0.98, level=0, latency=1) if channels == 2 else shaped


def _cut_to_packets(stream: Any, count: int) -> Any:
    """Cuts or pads to exactly `count` packets, less the encoder's own delay.

    The encoder puts one packet (21 ms) of delay before the sound. An edit list could hide the delay, but players treat edit lists
    in three different ways. Without one, the delay is played at time 0. So the first 1024 samples are left out here, and
    all later sound is exactly in step in every player. The price is the film's first 21 ms of sound.
    """
    end = count * FRAME_SAMPLES
    return (
        stream.filter("apad").filter("atrim", start_sample=FRAME_SAMPLES, end_sample=end).filter("asetpts", "N/SR/TB")
    )


def audio_arguments(
    mixes: Sequence[AudioMix],
    source_path: Path,
    folder: Path,
    *,
    clock: Clock,
    duration_seconds: float,
    bitrates: AudioBitrates = BITRATES,
) -> list[str]:
    """The command that decodes every stream of `mixes` once and writes all their renditions into `folder`."""
    opened = ffmpeg.input(**untrusted_input(source_path), vn=None, sn=None, dn=None, **clock.options)
    count = packets(duration_seconds)
    outputs = []
    for mix in mixes:
        aligned = [
            _silence() if index in mix.silent else _heard(mix, index, _on_picture_clock(opened[str(index)], clock))
            for index in mix.streams
        ]
        whole = aligned[0]
        if len(aligned) > 1:
            mono = [one.filter("aformat", channel_layouts="mono").filter("apad") for one in aligned]
            whole = ffmpeg.filter(mono, "join", inputs=len(mono), channel_layout=mix.layout)
        renditions = mix.renditions
        shares = whole.filter_multi_output("asplit", len(renditions)) if len(renditions) > 1 else [whole]
        for share, rendition in enumerate(renditions):
            one = shares[share] if len(renditions) > 1 else whole
            full = bitrates.surround_bps if rendition.channels == 6 else bitrates.stereo_bps
            rate = bitrates.low_bps if rendition.low else full
            outputs.append(
                ffmpeg.output(
                    _cut_to_packets(_mix_down(one, rendition.channels), count),
                    str(folder / f"{rendition.name}.mp4"),
                    **{"c:a": "aac", "b:a": rate, "ar": SAMPLE_RATE, "ac": rendition.channels},
                    use_editlist=0,
                    format="mp4",
                )
            )
    written: list[str] = ffmpeg.merge_outputs(*outputs).compile(cmd=str(binaries.ffmpeg()))
    return [written[0], *_TOLERANT, *written[1:]]


_TOLERANT: Final = (
    *("-hide_banner", "-nostdin", "-y"),
    *("-v", "verbose"),  # prints the counts of decoded and damaged frames
    *("-max_error_rate", "1"),  # damaged packets become silence instead of a failure
)


def decode_arguments(source_path: Path, stream: int, clock: Clock) -> list[str]:
    """The command that decodes one stream and writes nothing."""
    opened = ffmpeg.input(**untrusted_input(source_path), vn=None, sn=None, dn=None, **clock.options)
    written: list[str] = ffmpeg.output(opened[str(stream)], "-", format="null").compile(cmd=str(binaries.ffmpeg()))
    return [written[0], *_TOLERANT, *written[1:]]
