"""Names what a file is if it is not a film, from its first 64 KiB, so that its refusal tells the owner in plain words.

The library `puremagic` knows the signatures of pictures, sound, documents and archives. This module adds what the library
lacks: playlists, subtitles and plain text. `why_unreadable` writes the refusal's sentence, and says what is missing or damaged
in an MP4, Matroska or AVI file. `judge` calls it when a file cannot be opened. A film's container is never called
anything else, even if it is damaged: the owner would look for the fault in the wrong place.
"""

import re
from pathlib import Path
from typing import Final

import puremagic

from marquee.media.source.cut_off import why_cut_off

HEAD_BYTES: Final = 64 * 1024
MAX_INDEX_BYTES: Final = 64 * 1024**2

_FORMAT_NAMES: Final = {
    "image/x-ms-bmp": "BMP",
    "image/vnd.adobe.photoshop": "Photoshop",
    "image/x-icon": "icon",
    "image/webp": "WebP",
    "audio/mpeg": "MP3",
    "audio/ac3": "AC-3",
    "audio/wave": "WAV",
}
"""Names that people know, for MIME types whose own name they would not understand."""
_NOT_MEDIA: Final = {
    "application/pdf": "a PDF document",
    "application/x-gzip": "a gzip archive",
    "application/x-7z-compressed": "a 7-Zip archive",
    "application/x-rar-compressed": "a RAR archive",
    "application/vnd.rar": "a RAR archive",
    "application/x-bzip2": "a bzip2 archive",
    "application/x-xz": "an xz archive",
    "application/vnd.microsoft.portable-executable": "a program",
}
_EXTRA_SIGNATURES: Final = {
    b"PK\x03\x04": "a ZIP archive or an office document",
    b"\x7fELF": "a program",
    b"#!AMR": "sound (AMR)",
}
"""Signatures for which `puremagic` gives no MIME type, or too many."""
_FILM_CONTAINERS: Final = (b"OggS", b"\x1aE\xdf\xa3", b"0&\xb2u")
"""Ogg, Matroska, ASF. `puremagic` calls some of these sound, but they hold films too: a damaged one is still a film."""
_PLAYLISTS: Final = (
    b"#extm3u",
    b"ffconcat",
    b"[playlist]",
    b"<mpd",
    b"<asx",
    b"<smil",
    b"[reference]",
    b"rtsp://",
    b"http",
    b"v=0\r\no=",
    b"v=0\no=",
)
_SUBTITLES: Final = re.compile(
    rb"webvtt|\[script info\]|<sami|<tt[ :>]|\{\d+\}\{\d+\}|\d+\s*\r?\n\d+:\d\d:\d\d[,.]\d+\s*-->", re.IGNORECASE
)
_ENCRYPTED: Final = re.compile(rb"stsd.{12}encv", re.DOTALL)
"""A sample description whose first entry is an encrypted picture."""
_IMAGE_BRANDS: Final = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif"}
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_MP4_BOXES: Final = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"styp", b"sidx", b"uuid", b"pnot"}

NOTHING_DECODABLE: Final = (
    "Nothing of the picture can be decoded: it is damaged, or its codec is unknown to this platform. "
    "Export it as H.264."
)


def read_head(path: Path) -> bytes:
    """The first `HEAD_BYTES` bytes of a file."""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def non_film_kind(head: bytes) -> str | None:
    """What the file is, with an article ("a PDF document"), if its first bytes show that it is not a film; else None."""
    # Playlists first: `puremagic` calls M3U sound, by its MIME type audio/mpegurl.
    text = head[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(_PLAYLISTS) or b"<mpd" in text[:512]:
        return "a playlist that points to other files"
    if (known := _by_signature(head)) is not None:
        return known
    if is_still_picture(head):
        return "a picture (HEIF)"
    if is_text(head):
        if _SUBTITLES.match(text):
            return "a file of subtitles"
        return "a page of a web site" if text.startswith((b"<!doctype html", b"<html")) else "text"
    return None


def _by_signature(head: bytes) -> str | None:
    """The kind that `puremagic`'s most certain match names; None where that is a film, or nothing matches."""
    for signature, name in _EXTRA_SIGNATURES.items():
        if head.startswith(signature):
            return name
    if head.startswith(_FILM_CONTAINERS):
        return None
    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return None
    for match in matches:
        kind, _, subtype = match.mime_type.partition("/")
        if kind == "video":
            return None
        if kind in ("image", "audio"):
            name = _FORMAT_NAMES.get(match.mime_type, subtype.removeprefix("x-").upper())
            return f"a picture ({name})" if kind == "image" else f"sound ({name})"
        if match.mime_type in _NOT_MEDIA:
            return _NOT_MEDIA[match.mime_type]
    return None


def is_sound(path: Path) -> bool:
    """Whether a file's first bytes are those of a format that holds sound alone."""
    return (non_film_kind(read_head(path)) or "").startswith("sound")


def is_still_picture(head: bytes) -> bool:
    """Whether a file of the MP4 family declares itself a single picture. ffmpeg would read it as a film of one frame."""
    return head[4:8] == b"ftyp" and head[8:12] in _IMAGE_BRANDS


def is_text(head: bytes) -> bool:
    """Whether the bytes are UTF-16 with its mark, or UTF-8, and at least 97 % printable."""
    if head.startswith(_UTF16_MARKS):
        words = head[: len(head) // 2 * 2].decode("utf-16", "replace")
        return sum(letter.isprintable() or letter.isspace() for letter in words) >= 0.97 * len(words)
    if not head or b"\x00" in head:
        return False
    printable = sum(byte >= 32 or byte in b"\t\r\n\f" for byte in head)
    try:
        head[: len(head) - 3 if len(head) == HEAD_BYTES else None].decode()
    except UnicodeDecodeError:
        return False
    return printable >= 0.97 * len(head)


def mp4_boxes(path: Path) -> list[str]:
    """The names of an MP4's outermost boxes, as far as the file reaches; empty if the file is not an MP4."""
    return [name for name, _, _ in _boxes(path)]


def is_encrypted(path: Path) -> bool:
    """Whether an MP4's index describes encrypted samples (Common Encryption: ISO 23001-7)."""
    for name, start, length in _boxes(path):
        if name == "moov":
            with path.open("rb") as file:
                file.seek(start)
                index = file.read(min(length, MAX_INDEX_BYTES))
            return _ENCRYPTED.search(index) is not None
    return False


def _boxes(path: Path) -> list[tuple[str, int, int]]:
    """(name, offset of the box, its length in bytes) of an MP4's outermost boxes."""
    found: list[tuple[str, int, int]] = []
    size = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at + 8 <= size and len(found) < 1000:
            file.seek(at)
            header = file.read(16)
            length, name = int.from_bytes(header[:4], "big"), header[4:8]
            if not found and name not in _MP4_BOXES:
                return []
            if not name.isalnum():
                break
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            found.append((name.decode(errors="replace"), at, length if length >= 8 else size - at))
            if length < 8:
                break
            at += length
    return found


def why_unreadable(path: Path) -> str:
    """Why a file cannot be opened as a film: one sentence for its owner, with what to do where something can be done."""
    head = read_head(path)
    if kind := non_film_kind(head):
        return f"This is {kind}, not a film."
    if boxes := mp4_boxes(path):
        if "moov" not in boxes and "moof" not in boxes:
            return (
                "The film's index (moov) is missing: the file was cut off while it was recorded or copied. "
                "Copy it again, or repair it with the recorder."
            )
        if cut := why_cut_off(path):
            return cut
        return "The film's index (moov) is damaged, so its pictures cannot be located. Copy it again."
    if cut := why_cut_off(path):
        return cut
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "The film's header (Matroska) is damaged or cut off, so nothing can be decoded. Copy it again."
    return "This is not a film in any format that this platform knows, or its beginning is damaged."


def avi_seconds(path: Path) -> float | None:
    """The picture's length in seconds by an AVI's headers, which stay right if the file is cut off; None for other files.

    The picture stream's own header (`strh`: samples, and seconds a sample as scale / rate) is preferred. The main header
    (`avih`) has rounded microseconds, and many recorders fill it in wrongly.
    """
    head = read_head(path)
    main = head.find(b"avih")
    if head[:4] != b"RIFF" or head[8:11] != b"AVI" or main < 0 or len(head) < main + 28:
        return None

    def number(at: int) -> int:
        return int.from_bytes(head[at : at + 4], "little")

    stream = head.find(b"vids", main)
    if stream > 0 and len(head) >= stream + 36 and number(stream + 20) and number(stream + 24):
        seconds = number(stream + 32) * number(stream + 20) / number(stream + 24)
    else:
        seconds = number(main + 8) * number(main + 24) / 1e6
    return seconds or None
