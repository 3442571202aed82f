"""Every object key and prefix of both buckets, and every file name inside a version. No other module spells one.

    ingest bucket       uploads/{upload_id}/source                          the master, as it was uploaded
                        uploads/{upload_id}/sidecars/{name}                 subtitle files beside it
                        titles/{movie_id}/v{version}/{stage}.json           what a stage hands on
                        chunks/{job_id}/{attempt}/{rung}.mp4                a chunk's renditions
    published bucket    {movie_id}/v{version}/{file}                        streams: an edge asks for a viewer's token
                        images/{movie_id}/v{version}/{file}                 poster and sprites: public, immutable

Removal goes by the same prefixes (`marquee.ingest.removal`). The edges' template (`deploy/templates/nginx/edge.conf.jinja`)
lets exactly the published keys through.
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
"""As the packager's command and the MPD write it: `seg_00001.m4s`, ..."""
CAPTIONS: Final = "captions.vtt"
POSTER: Final = "poster.jpg"
SPRITE_INDEX: Final = "sprite.vtt"


# --- ingest bucket ---------------------------------------------------------------------------------------
def upload_prefix(upload_id: str) -> str:
    """Everything that an upload stores."""
    return f"uploads/{upload_id}/"


def master_key(upload_id: str) -> str:
    """The film as it was uploaded."""
    return f"{upload_prefix(upload_id)}source"


def sidecar_key(upload_id: str, name: str) -> str:
    """A subtitle file of an upload; `name` is made of its content."""
    return f"{upload_prefix(upload_id)}sidecars/{name}"


def documents_prefix(movie_id: str, version: int) -> str:
    """The documents that the stages of a version's ingest leave."""
    return f"{_title_documents_prefix(movie_id)}v{version}/"


def stage_key(movie_id: str, version: int, stage: str) -> str:
    """A stage's document."""
    return f"{documents_prefix(movie_id, version)}{stage}.json"


CHUNKS_PREFIX: Final = "chunks/"
"""All chunks of all titles."""


def chunk_prefix(job_id: str) -> str:
    """Everything that the attempts at one chunk stored."""
    return f"{CHUNKS_PREFIX}{job_id}/"


def chunk_key(prefix: str, attempt: str, rung: str) -> str:
    """A chunk's rendition; `prefix` is the job's `chunk_prefix`. Each attempt has keys of its own."""
    return f"{prefix}{attempt}/{rung}.mp4"


def job_of_chunk(key: str) -> str:
    """The id of the job whose attempt stored a chunk."""
    return key.removeprefix(CHUNKS_PREFIX).partition("/")[0]


# --- published bucket ------------------------------------------------------------------------------------
def published_prefix(movie_id: str, version: int) -> str:
    """A version's streams: playlists, MPD, segments, captions."""
    return f"{_title_streams_prefix(movie_id)}v{version}/"


def images_prefix(movie_id: str, version: int) -> str:
    """A version's poster and sprites."""
    return f"{_title_images_prefix(movie_id)}v{version}/"


# --- files of a version, relative to its prefix ----------------------------------------------------------
TrackKind = Literal["video", "audio", "text"]
STREAM_FOLDERS: Final = ("video/", "audio/")
"""What `streams` writes below; `subtitles` writes below `text/`."""


def track_folder(kind: TrackKind, name: str) -> str:
    """The folder of a rendition (`video/540p`), an audio track or a text track, without a slash at its end."""
    return f"{kind}/{name}"


def sprite_sheet(number: int) -> str:
    """The name of a sprite sheet, counted from 1: `sprite.jpg`, `sprite-2.jpg`, ..."""
    return "sprite.jpg" if number == 1 else f"sprite-{number}.jpg"


# --- what a removal removes ------------------------------------------------------------------------------
@dataclass(frozen=True)
class Prefixes:
    """Everything stored of a version or a title, but its chunks and uploads, which are found by their own ids."""

    ingest: str
    published: tuple[str, str]


def prefixes_of_version(movie_id: str, version: int) -> Prefixes:
    return Prefixes(
        ingest=documents_prefix(movie_id, version),
        published=(published_prefix(movie_id, version), images_prefix(movie_id, version)),
    )


def prefixes_of_title(movie_id: str) -> Prefixes:
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
