"""Every object key and prefix of both buckets, and every file name inside a version. No other module builds a key.

    ingest bucket       uploads/{upload_id}/source                          the master, as it was uploaded
                        uploads/{upload_id}/sidecars/{name}                 subtitle files beside it
                        titles/{movie_id}/v{version}/{stage}.json           what a stage hands on
                        chunks/{job_id}/{attempt}/{rung}.mp4                a chunk's renditions
    published bucket    {movie_id}/v{version}/{file}                        streams: an edge asks for a viewer's token
                        images/{movie_id}/v{version}/{file}                 pictures: public, immutable

Removal uses the same prefixes (`marquee.ingest.removal`). The edges' template
(`deploy/templates/nginx/edge.conf.jinja`) allows the published keys and nothing else.
"""

from dataclasses import dataclass
from typing import Final, Literal

MASTER_PLAYLIST: Final = "master.m3u8"
MPD: Final = "manifest.mpd"
PLAYLIST: Final = "index.m3u8"
"""A track's media playlist, in the track's folder."""
IFRAME_PLAYLIST: Final = "iframes.m3u8"
INIT_SEGMENT: Final = "init.mp4"
SEGMENT_TEMPLATE: Final = "seg_$Number%05d$.m4s"
"""The file name of a segment as the packager's command and the MPD write it: `seg_00001.m4s`, ..."""
CAPTIONS: Final = "captions.vtt"
SPRITE_INDEX: Final = "sprite.vtt"
THUMBNAILS_FOLDER: Final = "thumbnails"
"""The folder of the sprite sheets that manifests name, below the version's streams."""
THUMBNAIL_TEMPLATE: Final = "sheet_$Number%05d$.jpg"


# --- ingest bucket ---------------------------------------------------------------------------------------
def upload_prefix(upload_id: str) -> str:
    """Prefix of everything that an upload stores."""
    return f"uploads/{upload_id}/"


def master_key(upload_id: str) -> str:
    """Key of the film as it was uploaded."""
    return f"{upload_prefix(upload_id)}source"


def sidecar_key(upload_id: str, name: str) -> str:
    """Key of a subtitle file of an upload. `name` is derived from the file's content."""
    return f"{upload_prefix(upload_id)}sidecars/{name}"


def documents_prefix(movie_id: str, version: int) -> str:
    """Prefix of the documents that a version's stages write."""
    return f"{_title_documents_prefix(movie_id)}v{version}/"


def stage_key(movie_id: str, version: int, stage: str) -> str:
    """Key of a stage's document."""
    return f"{documents_prefix(movie_id, version)}{stage}.json"


CHUNKS_PREFIX: Final = "chunks/"
"""Prefix of all chunks of all titles."""


def chunk_prefix(job_id: str) -> str:
    """Prefix of everything that the attempts at one chunk stored."""
    return f"{CHUNKS_PREFIX}{job_id}/"


def chunk_key(prefix: str, attempt: str, rung: str) -> str:
    """Key of one rendition of a chunk. `prefix` is the job's `chunk_prefix`; each attempt has its own keys."""
    return f"{prefix}{attempt}/{rung}.mp4"


def job_of_chunk(key: str) -> str:
    """The id of the job that stored a chunk, from the chunk's key."""
    return key.removeprefix(CHUNKS_PREFIX).partition("/")[0]


# --- published bucket ------------------------------------------------------------------------------------
def published_prefix(movie_id: str, version: int) -> str:
    """Prefix of a version's streams: playlists, MPD, segments, captions."""
    return f"{_title_streams_prefix(movie_id)}v{version}/"


def images_prefix(movie_id: str, version: int) -> str:
    """Prefix of a version's poster, backdrop and sprites."""
    return f"{_title_images_prefix(movie_id)}v{version}/"


# --- files of a version, relative to its prefix ----------------------------------------------------------
TrackKind = Literal["video", "audio", "text"]
STREAM_FOLDERS: Final = ("video/", "audio/")
"""Folders that `streams` writes to. `subtitles` writes to `text/`."""


def track_folder(kind: TrackKind, name: str) -> str:
    """The folder of a rendition (`video/540p`), an audio track or a text track, without a final slash."""
    return f"{kind}/{name}"


def poster(width: int, height: int) -> str:
    """The name of the poster of this size in pixels: `poster-640x360.jpg`. One of half the size stands beside it.

    Clients read the size from the name (docs/api.md). Earlier releases stored one poster, `poster.jpg`.
    """
    return f"poster-{width}x{height}.jpg"


def backdrop(width: int) -> str:
    """The name of the wide picture of this width: `backdrop-1280.jpg`."""
    return f"backdrop-{width}.jpg"


def thumbnail_sheet(number: int) -> str:
    """The path of a sheet that manifests name, from 1: `thumbnails/sheet_00001.jpg`."""
    return f"{THUMBNAILS_FOLDER}/{THUMBNAIL_TEMPLATE.replace('$Number%05d$', f'{number:05d}')}"


def sprite_sheet(number: int) -> str:
    """The name of a sprite sheet. Sheets are numbered from 1: `sprite.jpg`, `sprite-2.jpg`, ..."""
    return "sprite.jpg" if number == 1 else f"sprite-{number}.jpg"


# --- what a removal removes ------------------------------------------------------------------------------
@dataclass(frozen=True)
class Prefixes:
    """Where everything of a version or a title is stored, except chunks and uploads: those are found by their own ids."""

    ingest: str
    published: tuple[str, str]


def prefixes_of_version(movie_id: str, version: int) -> Prefixes:
    """What the removal of one version removes."""
    return Prefixes(
        ingest=documents_prefix(movie_id, version),
        published=(published_prefix(movie_id, version), images_prefix(movie_id, version)),
    )


def prefixes_of_title(movie_id: str) -> Prefixes:
    """What the removal of a title removes: all its versions."""
    return Prefixes(
        ingest=_title_documents_prefix(movie_id),
        published=(_title_streams_prefix(movie_id), _title_images_prefix(movie_id)),
    )


def _title_documents_prefix(movie_id: str) -> str:
    return f"titles/{movie_id}/"


def _title_streams_prefix(movie_id: str) -> str:
    return f"{movie_id}/"


def _title_images_prefix(movie_id: str) -> str:
    return f"images/{movie_id}/"
