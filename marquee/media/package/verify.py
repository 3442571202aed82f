"""Checks a packaged title before viewers can reach it: the facts behind the blocking asset checks. Pure.

Reads the stages' documents, the sizes of the published objects by path, and the texts of the playlists. Every function returns
findings, one sentence each; an empty list means that nothing is wrong. Paths are relative to the title's prefix. A finding keeps
the version from being published: `assets/ingest/checks.py` turns findings into check results.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

import m3u8

from marquee.documents import (
    Codec,
    PackagedStream,
    PlanDocument,
    QualityScore,
    Rung,
    SecondLook,
    StreamsDocument,
    SubtitlesDocument,
    Thumbnails,
    keys,
)
from marquee.domain.figures import beside_limit
from marquee.media.package.authoring import authoring_findings
from marquee.media.package.authoring_checks import Told
from marquee.media.package.named_files import leaves_prefix, mpd_findings, resolved

MIN_VMAF_SIDE_PIXELS: Final = 144
"""Below this many lines or columns VMAF's score is meaningless: VMAF halves the picture four times, and its coarsest scale has
too few pixels. Such a title gets no note, however low its score is."""
MIN_THUMBNAIL_PSNR_DB: Final = 20.0
"""Thumbnails of 32 x 32 pixels that differ more are of different pictures. Measured on ten kinds of noise, grain and drawings at
96 to 234 lines: 29 dB and more for the poorest right rendition, 7 to 13 dB for rubble."""
MAX_VMAF_LOSS: Final = 2.0
"""The same encode scores the same to the last digit. A rendition that is one frame late lost 2 to 47; in pure noise, where nobody
can see it, 0.6."""


def published_files(
    streams: StreamsDocument, subtitles: SubtitlesDocument, thumbnails: Thumbnails | None = None
) -> list[str]:
    """Every file of a title's streams, subtitles and thumbnails, by its path below the prefix; without the two manifests."""
    files: list[str] = []
    for one in [*streams.video, *streams.audio]:
        files += [
            one.playlist,
            *([one.iframe_playlist] if one.iframe_playlist else []),
            one.init_segment,
            *one.segments,
        ]
    for track in subtitles.tracks:
        files += [track.playlist, track.key]
    return files + ([thumbnails.playlist, *thumbnails.sheets] if thumbnails else [])


def missing_files(
    streams: StreamsDocument,
    subtitles: SubtitlesDocument,
    sizes: Mapping[str, int],
    thumbnails: Thumbnails | None = None,
) -> list[str]:
    """Files named in the documents that are not stored, are stored empty, or have another size than was packaged.

    `sizes` are the stored bytes by path.
    """
    measured = {
        name: size
        for one in [*streams.video, *streams.audio]
        for name, size in zip(one.segments, one.segment_bytes, strict=True)
    }
    findings = []
    if thumbnails:
        measured |= dict(zip(thumbnails.sheets, thumbnails.sheet_bytes, strict=True))
    for name in published_files(streams, subtitles, thumbnails):
        stored = sizes.get(name)
        if stored is None:
            findings.append(f"{name} is named in the manifest and is not stored.")
        elif stored == 0:
            findings.append(f"{name} is stored empty.")
        elif stored != measured.get(name, stored):
            findings.append(f"{name} is stored with {stored} bytes, but was packaged with {measured[name]}.")
    return findings


def wrong_durations(plan: PlanDocument, streams: StreamsDocument) -> list[str]:
    """Tracks whose segments do not add up to the plan's duration within one frame, and segments off the grid.

    Audio may differ by one packet (1024 samples, 21 ms) instead, if a packet is longer than a frame.
    """
    rate = Fraction(plan.settings.frame_rate)
    frame, expected = float(1 / rate), plan.duration_seconds
    segment = float(plan.settings.segment_frames / rate)
    findings = []
    if not streams.video:
        findings.append("The title has no video.")
    for one in [*streams.video, *streams.audio]:
        total = sum(one.segment_seconds)
        packet = 1024 / one.sample_rate if one.sample_rate else 0.0
        if abs(total - expected) > max(frame, packet) + 1e-6:
            findings.append(f"{one.kind} {one.name} lasts {total:.3f} s instead of the plan's {expected:.3f} s.")
        if one.kind == "video":
            findings += [
                f"{name} lasts {seconds:.4f} s instead of {segment:.4f} s."
                for name, seconds in zip(one.segments[:-1], one.segment_seconds[:-1], strict=True)
                if abs(seconds - segment) > 1e-6
            ]
    return findings


def unsynchronised_starts(streams: StreamsDocument, *, frame_rate: str) -> list[str]:
    """Tracks that do not start within one frame of the first video track."""
    frame = float(1 / Fraction(frame_rate))
    start = streams.video[0].start_seconds if streams.video else 0.0
    return [
        f"{one.kind} {one.name} starts at {one.start_seconds:.3f} s and the picture at {start:.3f} s: "
        f"more than a frame ({frame:.3f} s) apart."
        for one in [*streams.video, *streams.audio]
        if abs(one.start_seconds - start) > frame + 1e-6
    ]


def is_large_enough_for_vmaf(width: int, height: int) -> bool:
    """Whether VMAF's score of a picture of this size means anything."""
    return min(width, height) >= MIN_VMAF_SIDE_PIXELS


def unscored_codecs(tops: Sequence[Rung], scores: Sequence[QualityScore], *, optional: Sequence[Codec]) -> list[str]:
    """The top rungs without a score, but those of `optional` codecs: these may have been left out with a note."""
    scored = {one.rung for one in scores}
    return [
        f"Rung {top.name} has no score: nobody knows whether its picture is the film's. Run the version again from `quality` on."
        for top in tops
        if top.name not in scored and top.codec not in optional
    ]


def poor_picture(
    scores: Sequence[QualityScore], *, floor_vmaf: float, second_look: SecondLook | None, is_large_enough: bool = True
) -> list[str]:
    """The top rung, if its mean VMAF (0 to 100) is below `floor_vmaf` because its picture is wrong.

    `scores` are in the order of the ladder, the lowest rung first. Too few bits are the ladder's own choice and no finding: the
    stage `quality` notes them. Without a second look (of an earlier release) a low score is a finding, unless the picture is too
    small for a score to mean anything (`is_large_enough_for_vmaf`).
    """
    top = scores[-1]
    if top.vmaf_mean >= floor_vmaf:
        return []
    scored = f"Rung {top.rung} scores VMAF {beside_limit(top.vmaf_mean, floor_vmaf, 1)} on average"
    if second_look is None:
        if not is_large_enough:
            return []
        return [f"{scored}, below the floor of {floor_vmaf:.1f}."]
    where = f"From frame {second_look.start_frame} on"
    if second_look.thumbnail_psnr_db < MIN_THUMBNAIL_PSNR_DB:
        likeness = beside_limit(second_look.thumbnail_psnr_db, MIN_THUMBNAIL_PSNR_DB, 1)
        return [
            f"{scored}. {where} its picture is not the film's: even as thumbnails they differ (PSNR {likeness} dB)."
        ]
    if second_look.encoded_again_vmaf - second_look.vmaf > MAX_VMAF_LOSS:
        again = second_look.encoded_again_vmaf
        return [f"{scored}. {where} it scores {second_look.vmaf:.1f}, and {again:.1f} if encoded again: it is damaged."]
    return []


def _media_findings(name: str, text: str, sizes: Mapping[str, int], tracks: Mapping[str, PackagedStream]) -> list[str]:
    playlist = m3u8.loads(text)
    findings = []
    if not playlist.segments or not playlist.is_endlist:
        return [
            f"{name} does not list a whole title: {len(playlist.segments)} segments, end marked: {playlist.is_endlist}."
        ]
    uris = [*(one.uri for one in playlist.segments), *(one.uri for one in playlist.segment_map)]
    for uri in dict.fromkeys(uris):
        if leaves_prefix(uri):
            findings.append(f"{name} names {uri}, which is not relative to it.")
        elif resolved(name, uri) not in sizes:
            findings.append(f"{name} names {uri}, which is not stored.")
    for segment in playlist.segments:
        if round(segment.duration) > (playlist.target_duration or 0):
            findings.append(f"{name}: {segment.uri} lasts longer than EXT-X-TARGETDURATION.")
        if segment.byterange and not playlist.is_i_frames_only:
            findings.append(f"{name} has a byte range in an ordinary playlist.")
        if segment.byterange and "@" in segment.byterange:
            length, offset = (int(part) for part in segment.byterange.split("@"))
            if offset + length > sizes.get(resolved(name, segment.uri), 0):
                findings.append(f"{name} names bytes {offset} to {offset + length}, beyond the end of {segment.uri}.")
    track = tracks.get(name)
    if track and [resolved(name, one.uri) for one in playlist.segments] != track.segments:
        findings.append(f"{name} does not list the packaged segments.")
    return findings


def playlist_findings(
    streams: StreamsDocument, texts: Mapping[str, str], sizes: Mapping[str, int], *, master: str, mpd: str
) -> list[str]:
    """Everything that is wrong in the playlists and the MPD. By path: `texts` of these files, `sizes` of all stored files."""
    findings: list[str] = []
    stored = {**sizes, **{name: len(text) for name, text in texts.items()}}
    parsed = m3u8.loads(texts.get(master, ""))
    if not parsed.playlists:
        findings.append(f"{master} lists no variant.")
    groups = {(one.type, one.group_id) for one in parsed.media}
    for variant in parsed.playlists:
        info = variant.stream_info
        for kind, group in (("AUDIO", info.audio), ("SUBTITLES", info.subtitles)):
            if group and (kind, group) not in groups:
                findings.append(
                    f"{master}: {variant.uri} names the {kind.lower()} group {group}, which does not exist."
                )
        if not info.codecs or not info.bandwidth or not info.average_bandwidth or not info.resolution:
            findings.append(f"{master}: {variant.uri} lacks CODECS, BANDWIDTH, AVERAGE-BANDWIDTH or RESOLUTION.")
        elif info.average_bandwidth > info.bandwidth:
            findings.append(f"{master}: {variant.uri} has an AVERAGE-BANDWIDTH above its BANDWIDTH.")
    named = [*(one.uri for one in parsed.playlists), *(one.uri for one in parsed.media if one.uri)]
    named += [one.uri for one in [*parsed.iframe_playlists, *parsed.image_playlists]]
    tracks = {one.playlist: one for one in [*streams.video, *streams.audio]}
    for uri in dict.fromkeys(named):
        if leaves_prefix(uri):
            findings.append(f"{master} names {uri}, which is not relative to it.")
        elif uri not in texts:
            findings.append(f"{master} names {uri}, which is not stored.")
        else:
            findings += _media_findings(uri, texts[uri], stored, tracks)
    return findings + mpd_findings(mpd, texts.get(mpd, ""), stored)


def title_findings(
    plan: PlanDocument,
    streams: StreamsDocument,
    subtitles: SubtitlesDocument,
    *,
    texts: Mapping[str, str],
    sizes: Mapping[str, int],
    thumbnails: Thumbnails | None = None,
    master: str = keys.MASTER_PLAYLIST,
    mpd: str = keys.MPD,
) -> list[str]:
    """All findings of a title, except `poor_picture`. Empty if the title may be shown to viewers."""
    return [
        *missing_files(streams, subtitles, sizes, thumbnails),
        *wrong_durations(plan, streams),
        *unsynchronised_starts(streams, frame_rate=plan.settings.frame_rate),
        *playlist_findings(streams, texts, sizes, master=master, mpd=mpd),
        *authoring_findings(_told(streams, subtitles, texts, sizes, master))[0],
    ]


def title_recommendations(
    streams: StreamsDocument,
    subtitles: SubtitlesDocument,
    *,
    texts: Mapping[str, str],
    sizes: Mapping[str, int],
    master: str = keys.MASTER_PLAYLIST,
) -> list[str]:
    """What Apple's authoring specification recommends and a title does not do. Nothing of it keeps a title from viewers."""
    return authoring_findings(_told(streams, subtitles, texts, sizes, master))[1]


def _told(
    streams: StreamsDocument,
    subtitles: SubtitlesDocument,
    texts: Mapping[str, str],
    sizes: Mapping[str, int],
    master: str,
) -> Told:
    read = {name: m3u8.loads(text) for name, text in texts.items() if name.endswith(".m3u8") and name != master}
    playlists = {name: playlist for name, playlist in read.items() if playlist.segments}
    return Told(streams, subtitles, m3u8.loads(texts.get(master, "")), playlists, sizes, texts)
