"""Packages a title once, by Shaka Packager: CMAF segments, with the HLS media playlists over them.

Reads the joined renditions and the encoded audio; writes, below one folder that mirrors the published prefix,
`video/{rung}/` and `audio/{name}/` with `init.mp4`, `seg_00001.m4s`..., `index.m3u8` (and `iframes.m3u8` for video).
A segment is asked for as exactly segment_frames / frame rate seconds: a plain 6 at 29.97 fps puts a stray segment of
one frame at minute 33. The packager's own master playlist and MPD are read for what was measured and then deleted:
`manifest` alone writes those, last.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

import msgspec

from marquee.documents import PackagedStream, PlanDocument, Rung, StreamsDocument, keys
from marquee.errors import ProcessFailed
from marquee.media.package.package_reader import Track, read_iframe_bandwidth, read_tracks
from marquee.media.programs import binaries, process
from marquee.media.sound.audio import EncodedAudio

_MPD: Final = "packager.mpd"
_MASTER: Final = "packager.m3u8"


def segment_seconds(plan: PlanDocument) -> Fraction:
    """The exact length of a segment: a whole number of frames."""
    return plan.settings.segment_frames / Fraction(plan.settings.frame_rate)


def packager_arguments(
    renditions: Sequence[tuple[Rung, Path]], audio: Sequence[EncodedAudio], segment: Fraction
) -> list[str]:
    """The one packager command of a title, run in the output folder; all paths in it are relative to that."""
    arguments = [str(binaries.packager())]
    for rung, path in renditions:
        folder = keys.track_folder("video", rung.name)
        arguments.append(
            f"in={path.resolve()},stream=video,init_segment={folder}/{keys.INIT_SEGMENT},"
            f"segment_template={folder}/{keys.SEGMENT_TEMPLATE},"
            f"playlist_name={folder}/{keys.PLAYLIST},iframe_playlist_name={folder}/{keys.IFRAME_PLAYLIST}"
        )
    for one in audio:
        folder = keys.track_folder("audio", one.name)
        arguments.append(
            f"in={one.path.resolve()},stream=audio,init_segment={folder}/{keys.INIT_SEGMENT},"
            f"segment_template={folder}/{keys.SEGMENT_TEMPLATE},"
            f"playlist_name={folder}/{keys.PLAYLIST},hls_group_id={one.name},hls_name={one.name}"
        )
    return [
        *arguments,
        # 12 digits: the packager counts in ticks, and a third of a microsecond short is still the same tick.
        *("--segment_duration", f"{float(segment):.12g}"),
        *("--generate_static_live_mpd", "--mpd_output", _MPD, "--hls_master_playlist_output", _MASTER),
        "--quiet",
    ]


async def package(
    plan: PlanDocument,
    renditions: Sequence[tuple[Rung, Path]],
    audio: Sequence[EncodedAudio],
    folder: Path,
    *,
    memory_bytes: int | None = None,
) -> StreamsDocument:
    """Lay out every segment and media playlist of a title below `folder`, and say what was measured.

    Raises `ProcessFailed` when the packager does, or when it made other segments than the plan's grid has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    video_folders = {rung.name: keys.track_folder("video", rung.name) for rung, _ in renditions}
    audio_folders = {one.name: keys.track_folder("audio", one.name) for one in audio}
    for track_folder in (*video_folders.values(), *audio_folders.values()):
        (folder / track_folder).mkdir(parents=True, exist_ok=True)
    size = sum(path.stat().st_size for path in [*(path for _, path in renditions), *(one.path for one in audio)])
    await process.run(
        packager_arguments(renditions, audio, segment_seconds(plan)),
        timeout_seconds=120 + size / 5e6,
        memory_bytes=memory_bytes,
        cwd=folder,
    )
    tracks = read_tracks(folder, folder / _MPD)
    iframe_bandwidth = read_iframe_bandwidth(folder / _MASTER)
    for playlist in folder.rglob("*.m3u8"):
        # The packager's advertisement is the only absolute address in there, and no player needs it.
        lines = playlist.read_text().splitlines(keepends=True)
        playlist.write_text("".join(line for line in lines if not line.startswith("## ")))
    (folder / _MPD).unlink()
    (folder / _MASTER).unlink()
    for name, track in tracks.items():
        tracks[name] = msgspec.structs.replace(track, start_seconds=await measured_start(folder, track))
    video = [_video(plan, rung, tracks[video_folders[rung.name]], iframe_bandwidth) for rung, _ in renditions]
    return StreamsDocument(
        movie_id=plan.movie_id,
        version=plan.version,
        prefix=keys.published_prefix(plan.movie_id, plan.version),
        video=video,
        audio=[_audio(one, tracks[audio_folders[one.name]]) for one in audio],
        segment_frames=plan.settings.segment_frames,
        size_bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    )


async def measured_start(folder: Path, track: Track) -> float:
    """When a track's first sample is shown, in seconds, as a demuxer that honours edit lists sees it.

    The MPD only says when the first segment starts, which is 0 whatever is inside it.
    """
    first = [(folder / name).read_bytes() for name in (track.init_segment, *track.segments[:1])]
    probed = await process.run(
        [
            str(binaries.ffprobe()),
            *("-v", "error", "-protocol_whitelist", "pipe", "-f", "mov", "-i", "pipe:0"),
            *("-show_entries", "stream=start_time", "-of", "default=nw=1:nk=1"),
        ],
        timeout_seconds=60,
        input=b"".join(first),
    )
    return float(probed.stdout.split()[0])


def _video(plan: PlanDocument, rung: Rung, track: Track, iframe_bandwidth: dict[str, int]) -> PackagedStream:
    expected = -(-plan.total_frames // plan.settings.segment_frames)
    if len(track.segments) != expected:
        raise ProcessFailed(
            f"Rendition {rung.name} was cut into {len(track.segments)} segments, not the plan's {expected}: its key frames "
            "are not on the segment grid."
        )
    iframes = f"{track.folder}/{keys.IFRAME_PLAYLIST}"
    return PackagedStream(
        kind="video",
        name=rung.name,
        playlist=f"{track.folder}/{keys.PLAYLIST}",
        iframe_playlist=iframes,
        iframe_bandwidth=iframe_bandwidth.get(iframes),
        init_segment=track.init_segment,
        segments=track.segments,
        segment_seconds=track.segment_seconds,
        segment_bytes=track.segment_bytes,
        average_bps=track.average_bps,
        peak_bps=track.peak_bps,
        codecs=track.codecs,
        start_seconds=track.start_seconds,
        width=rung.width,
        height=rung.height,
        frame_rate=plan.settings.frame_rate,
    )


def _audio(one: EncodedAudio, track: Track) -> PackagedStream:
    return PackagedStream(
        kind="audio",
        name=one.name,
        playlist=f"{track.folder}/{keys.PLAYLIST}",
        init_segment=track.init_segment,
        segments=track.segments,
        segment_seconds=track.segment_seconds,
        segment_bytes=track.segment_bytes,
        average_bps=track.average_bps,
        peak_bps=track.peak_bps,
        codecs=track.codecs,
        start_seconds=track.start_seconds,
        channels=one.channels,
        sample_rate=track.sample_rate,
        language=one.language,
        label=one.label,
        default=one.default,
    )
