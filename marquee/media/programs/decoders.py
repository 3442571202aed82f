"""Which codecs a build of ffmpeg can decode, asked once a process (30 ms).

A codec that no build decodes is told to the uploader in `source`, before the encode. Whether a given stream decodes shows only
in decoding it: the list says nothing about damage.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from marquee.media.programs import process

_LINE: Final = re.compile(r"^ (?P<decodes>[D.])[E.][A-Z].{3} (?P<codec>\S+)", re.MULTILINE)
USUAL: Final = frozenset(
    {"aac", "mp3", "mp2", "ac3", "eac3", "opus", "vorbis", "flac", "alac", "dts", "pcm_s16le", "pcm_s16be", "pcm_s24le"}
)
"""Codecs of sound that the platform's ffmpeg has for certain: of most films, nothing is asked."""
_decodable: Final[dict[Path, frozenset[str]]] = {}


async def decodable_codecs(program: Path, asked: Iterable[str]) -> frozenset[str]:
    """Those of the `asked` codecs, by the names that ffprobe gives them, that the ffmpeg `program` can decode."""
    wanted = frozenset(asked)
    if wanted <= USUAL:
        return wanted
    if program not in _decodable:
        listed = await process.run([str(program), "-hide_banner", "-codecs"], timeout_seconds=30)
        found = _LINE.finditer(listed.stdout.decode(errors="replace"))
        _decodable[program] = frozenset(one["codec"] for one in found if one["decodes"] == "D")
    return wanted & _decodable[program]
