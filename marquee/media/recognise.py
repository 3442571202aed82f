"""What a file that is not a film is instead, from its first bytes: so that a refusal can say it in plain words."""

from pathlib import Path
from typing import Final

HEAD_BYTES: Final = 64 * 1024

_PICTURES: Final = {
    b"\x89PNG\r\n": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"GIF8": "a picture (GIF)",
    b"BM": "a picture (BMP)",
    b"II*\x00": "a picture (TIFF)",
    b"MM\x00*": "a picture (TIFF)",
    b"8BPS": "a picture (Photoshop)",
    b"\x00\x00\x01\x00": "a picture (icon)",
}
_SOUND: Final = {b"ID3": "sound (MP3)", b"fLaC": "sound (FLAC)", b"\xff\xfb": "sound (MP3)", b"\xff\xf1": "sound (AAC)"}
_OTHER: Final = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or an office document",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x7fELF": "a program",
    b"MZ": "a program",
}
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
)
_MP4_BOXES: Final = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"styp", b"sidx", b"uuid", b"pnot"}


def read_head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def other_kind(head: bytes) -> str | None:
    """What the file is, with its article, where its first bytes say that it is no film; else None."""
    for known in (_PICTURES, _SOUND, _OTHER):
        for magic, name in known.items():
            if head.startswith(magic):
                return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "a picture (WebP)"
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "sound (WAV)"
    if head[4:8] == b"ftyp" and head[8:12] in {b"heic", b"heix", b"mif1", b"avif"}:
        return "a picture (HEIF)"
    text = head[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(_PLAYLISTS) or b"<mpd" in text[:512]:
        return "a playlist that points to other files"
    if is_text(head):
        return "a page of a web site" if text.startswith((b"<!doctype html", b"<html")) else "text"
    return None


def is_text(head: bytes) -> bool:
    if not head or b"\x00" in head:
        return False
    printable = sum(byte >= 32 or byte in b"\t\r\n\f" for byte in head)
    try:
        head[: len(head) - 3 if len(head) == HEAD_BYTES else None].decode()
    except UnicodeDecodeError:
        return False
    return printable >= 0.97 * len(head)


def mp4_boxes(path: Path) -> list[str]:
    """The names of an MP4's outermost boxes, as far as the file reaches; empty for what is no MP4."""
    names: list[str] = []
    size = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at + 8 <= size and len(names) < 1000:
            file.seek(at)
            header = file.read(16)
            length, name = int.from_bytes(header[:4], "big"), header[4:8]
            if not names and name not in _MP4_BOXES:
                return []
            if not name.isalnum():
                break
            names.append(name.decode(errors="replace"))
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            if length < 8:
                break
            at += length
    return names


def is_matroska(head: bytes) -> bool:
    return head.startswith(b"\x1aE\xdf\xa3")


def avi_seconds(path: Path) -> float | None:
    """How long an AVI's main header says that the picture is, which holds even if the file was cut off; else None."""
    head = read_head(path)
    at = head.find(b"avih")
    if head[:4] != b"RIFF" or head[8:11] != b"AVI" or at < 0 or len(head) < at + 28:
        return None
    frame_microseconds = int.from_bytes(head[at + 8 : at + 12], "little")
    frames = int.from_bytes(head[at + 24 : at + 28], "little")
    return frame_microseconds * frames / 1e6 or None
