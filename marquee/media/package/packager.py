"""Packages a title once, by Shaka Packager: CMAF segments, and the HLS media playlists that list them.

Reads the joined renditions and the encoded audio. Writes, below one folder that mirrors the published prefix, `video/{rung}/` and
`audio/{name}/` with `init.mp4`, `seg_00001.m4s`..., `index.m3u8` (and `iframes.m3u8` for video). A segment lasts exactly
segment_frames / frame rate seconds: a plain 6 s at 29.97 fps would put a stray segment of one frame at minute 33.
The packager's own master playlist and MPD are read for their measurements (`package_reader`) and then deleted: only `manifest`
writes the published ones, last.
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

_PACKAGER_MPD: Final = "packager.mpd"
_PACKAGER_MASTER: Final = "packager.m3u8"


def segment_seconds(plan: PlanDocument) -> Fraction:
    """The exact length of a segment in seconds: a whole number of frames."""
    return plan.settings.segment_frames / Fraction(plan.settings.frame_rate)


def packager_arguments(
    renditions: Sequence[tuple[Rung, Path]], audio: Sequence[EncodedAudio], segment: Fraction
) -> list[str]:
    """The packager command of a title. It must run in the output folder: all output paths are relative to that folder."""
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
        # 12 digits: the packager counts in ticks, and an error of a third of a microsecond is still the same tick.
        *("--segment_duration", f"{float(segment):.12g}"),
        *(
            "--generate_static_live_mpd",
            "--mpd_output",
            _PACKAGER_MPD,
            "--hls_master_playlist_output",
            _PACKAGER_MASTER,
        ),
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
    """Write every segment and media playlist of a title below `folder`; return what was measured.

    Raises `ProcessFailed` if the packager fails, or if its segments are not those of the plan's grid.
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
    tracks = read_tracks(folder, folder / _PACKAGER_MPD)
    iframe_bandwidth = read_iframe_bandwidth(folder / _PACKAGER_MASTER)
    for playlist in folder.rglob("*.m3u8"):
        # The packager adds a line about itself, with an absolute address. No player needs that line.
        lines = playlist.read_text().splitlines(keepends=True)
        playlist.write_text("".join(line for line in lines if not line.startswith("## ")))
    (folder / _PACKAGER_MPD).unlink()
    (folder / _PACKAGER_MASTER).unlink()
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
    """The presentation time of a track's first sample in seconds, for a player that honours edit lists.

    The MPD does not tell it: there the first segment starts at 0, whatever the segment contains.
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
            f"Rendition {rung.name} was cut into {len(track.segments)} segments instead of the plan's {expected}: its key frames "
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
        role=one.role,
        original=one.original,
    )
