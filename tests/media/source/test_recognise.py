"""A file that is not a film is called by its right name. A file that may be a damaged film is never called anything else."""

import pytest

from marquee.media.source.recognise import non_film_kind

KNOWN = {
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR": "a picture (PNG)",
    b"\xff\xd8\xff\xe0\0\x10JFIF\0": "a picture (JPEG)",
    b"GIF89a": "a picture (GIF)",
    b"BM6\0\0\0": "a picture (BMP)",
    b"II*\x00": "a picture (TIFF)",
    b"MM\x00*": "a picture (TIFF)",
    b"8BPS\0\x01": "a picture (Photoshop)",
    b"RIFF\x10\0\0\0WEBPVP8 ": "a picture (WebP)",
    b"\0\0\0\x18ftypheic": "a picture (HEIF)",
    b"\0\0\0\x18ftypavif": "a picture (AVIF)",
    b"ID3\x03\0": "sound (MP3)",
    b"\xff\xf1\x50": "sound (AAC)",
    b"fLaC\0": "sound (FLAC)",
    b"\x0bw\x12": "sound (AC-3)",
    b"#!AMR\n": "sound (AMR)",
    b"RIFF\x10\0\0\0WAVEfmt ": "sound (WAV)",
    b"FORM\0\0\0\x10AIFF": "sound (AIFF)",
    b"%PDF-1.7": "a PDF document",
    b"PK\x03\x04\x14": "a ZIP archive or an office document",
    b"\x1f\x8b\x08": "a gzip archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!\x1a\x07\x00": "a RAR archive",
    b"BZh91AY": "a bzip2 archive",
    b"\xfd7zXZ\0": "an xz archive",
    b"\x7fELF\x02\x01": "a program",
    b"MZ\x90\0\x03": "a program",
}
FILMS = {
    "MP4": b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2avc1mp41",
    "QuickTime": b"\0\0\0\x14ftypqt  \0\0\x02\0qt  ",
    "Matroska": b"\x1aE\xdf\xa3\x01\0\0\0",
    "AVI": b"RIFF\x10\0\0\0AVI LIST",
    "Ogg": b"OggS\0\x02",
    "ASF": b"0&\xb2u\x8ef\xcf\x11\xa6\xd9\0\xaa\0b\xcel",
    "FLV": b"FLV\x01\x05",
    "MPEG programme stream": b"\0\0\x01\xba\x44",
    "MPEG transport stream": b"G\x40\0\x10" + b"\0" * 184 + b"G\x41",
}


@pytest.mark.parametrize("head", KNOWN, ids=lambda head: repr(head[:12]))
def test_what_is_no_film_is_called_what_it_is(head: bytes) -> None:
    assert non_film_kind(head + bytes(200)) == KNOWN[head]


@pytest.mark.parametrize("name", FILMS)
def test_a_film_container_is_never_called_anything_else(name: str) -> None:
    found = non_film_kind(FILMS[name] + bytes(200))
    assert found is None, f"a damaged {name} film would be refused as {found}"
