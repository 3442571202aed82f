"""Packages a title once, by Shaka Packager: CMAF segments, and the HLS media playlists that list them.

Reads the joined renditions and the encoded audio. Writes, below one folder that mirrors the published prefix, `video/{rung}/` and
`audio/{name}/` with `init.mp4`, `seg_00001.m4s`..., `index.m3u8` (and `iframes.m3u8` for video). A segment lasts exactly
segment_frames / frame rate seconds: a plain 6 s at 29.97 fps would put a stray segment of one frame at minute 33. Each GOP of
a segment is a fragment (`moof`, `mdat`) of its own, so that the I-frame playlist can name every IDR: 0.1 to 0.2 % more bytes.
The packager's own playlists and MPD are read for their measurements (`package_reader`) and then replaced by exact ones
(`playlists`) or deleted: only `manifest` writes the published master playlist and MPD, last.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

import msgspec

from marquee.documents import Colours, PackagedStream, PlanDocument, Rung, StreamsDocument, keys
from marquee.errors import ProcessFailed
from marquee.media.package.package_reader import Track, peak_bps, read_key_frames, read_tracks
from marquee.media.package.playlists import KeyFrame, iframe_playlist, media_playlist, target_duration
from marquee.media.programs import binaries, process
from marquee.media.sound.audio import EncodedAudio

_PACKAGER_MPD: Final = "packager.mpd"
_PACKAGER_MASTER: Final = "packager.m3u8"


def segment_seconds(plan: PlanDocument) -> Fraction:
    """The exact length of a segment in seconds: a whole number of frames."""
    return plan.settings.segment_frames / Fraction(plan.settings.frame_rate)


def packager_arguments(
    renditions: Sequence[tuple[Rung, Path]], audio: Sequence[EncodedAudio], segment: Fraction, gop: Fraction
) -> list[str]:
    """The packager command of a title. It must run in the output folder: all output paths are relative to that folder.

    `segment` and `gop` are durations in seconds.
    """
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
        # A fragment a GOP: a byte range of an I-frame playlist must begin with the moof of its I-frame.
        *("--fragment_duration", f"{float(gop):.12g}"),
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
    rate = Fraction(plan.settings.frame_rate)
    video_folders = {rung.name: keys.track_folder("video", rung.name) for rung, _ in renditions}
    audio_folders = {one.name: keys.track_folder("audio", one.name) for one in audio}
    for track_folder in (*video_folders.values(), *audio_folders.values()):
        (folder / track_folder).mkdir(parents=True, exist_ok=True)
    size = sum(path.stat().st_size for path in [*(path for _, path in renditions), *(one.path for one in audio)])
    await process.run(
        packager_arguments(renditions, audio, segment_seconds(plan), plan.settings.gop_frames / rate),
        timeout_seconds=120 + size / 5e6,
        memory_bytes=memory_bytes,
        cwd=folder,
    )
    tracks = read_tracks(folder, folder / _PACKAGER_MPD)
    target = target_duration(seconds for track in tracks.values() for seconds in track.segment_seconds)
    key_frames: dict[str, list[KeyFrame]] = {}
    for name, track in tracks.items():
        playlist = media_playlist(track.segments, track.segment_seconds, target)
        (folder / name / keys.PLAYLIST).write_text(playlist)
        if name in video_folders.values():
            iframes = f"{name}/{keys.IFRAME_PLAYLIST}"
            key_frames[name] = read_key_frames(
                folder, iframes, total_frames=plan.total_frames, gop_frames=plan.settings.gop_frames, rate=rate
            )
            (folder / iframes).write_text(iframe_playlist(key_frames[name]))
    (folder / _PACKAGER_MPD).unlink()
    (folder / _PACKAGER_MASTER).unlink()
    colours: dict[str, Colours | None] = {}
    for name, track in tracks.items():
        start_seconds, colours[name] = await measured_start(folder, track)
        tracks[name] = msgspec.structs.replace(track, start_seconds=start_seconds)
    video = [
        _video(plan, rung, tracks[name], key_frames[name], colours[name])
        for rung, name in ((rung, video_folders[rung.name]) for rung, _ in renditions)
    ]
    return StreamsDocument(
        movie_id=plan.movie_id,
        version=plan.version,
        prefix=keys.published_prefix(plan.movie_id, plan.version),
        video=video,
        audio=[_audio(one, tracks[audio_folders[one.name]]) for one in audio],
        segment_frames=plan.settings.segment_frames,
        size_bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    )


_CODE_POINTS: Final = {"bt709": 1, "bt470bg": 5, "smpte170m": 6}
"""ffmpeg's names of the colours that renditions have (`marquee.media.encode.filters`), as code points of ISO/IEC 23091-2."""


async def measured_start(folder: Path, track: Track) -> tuple[float, Colours | None]:
    """(presentation time of a track's first sample in seconds, its colours).

    The time is what a player sees that honours edit lists. The MPD does not tell it: there the first segment starts at 0,
    whatever the segment contains. Colours are None for sound, and for a picture without tags.
    """
    first = [(folder / name).read_bytes() for name in (track.init_segment, *track.segments[:1])]
    probed = await process.run(
        [
            str(binaries.ffprobe()),
            *("-v", "error", "-protocol_whitelist", "pipe", "-f", "mov", "-i", "pipe:0"),
            *("-show_entries", "stream=start_time,color_primaries,color_transfer,color_space", "-of", "default=nw=1"),
        ],
        timeout_seconds=60,
        input=b"".join(first),
    )
    found = dict(line.split("=", 1) for line in probed.stdout.decode().split() if "=" in line)
    names = [found.get(f"color_{one}", "") for one in ("primaries", "transfer", "space")]
    points = [_CODE_POINTS[name] for name in names if name in _CODE_POINTS]
    colours = Colours(primaries=points[0], transfer=points[1], matrix=points[2]) if len(points) == len(names) else None
    return float(found["start_time"]), colours


def _video(
    plan: PlanDocument, rung: Rung, track: Track, key_frames: Sequence[KeyFrame], colours: Colours | None
) -> PackagedStream:
    expected = -(-plan.total_frames // plan.settings.segment_frames)
    if len(track.segments) != expected:
        raise ProcessFailed(
            f"Rendition {rung.name} was cut into {len(track.segments)} segments instead of the plan's {expected}: its key frames "
            "are not on the segment grid."
        )
    seconds, sizes = [one.seconds for one in key_frames], [one.size_bytes for one in key_frames]
    return PackagedStream(
        kind="video",
        name=rung.name,
        playlist=f"{track.folder}/{keys.PLAYLIST}",
        iframe_playlist=f"{track.folder}/{keys.IFRAME_PLAYLIST}",
        iframe_bandwidth=peak_bps(seconds, sizes),
        iframe_average_bps=round(8 * sum(sizes) / sum(seconds)),
        key_frames=len(key_frames),
        init_segment=track.init_segment,
        segments=track.segments,
        segment_seconds=track.segment_seconds,
        segment_bytes=track.segment_bytes,
        average_bps=track.average_bps,
        peak_bps=track.peak_bps,
        codecs=track.codecs,
        start_seconds=track.start_seconds,
        codec=rung.codec,
        width=rung.width,
        height=rung.height,
        frame_rate=plan.settings.frame_rate,
        colours=colours,
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
        low=one.low,
    )
