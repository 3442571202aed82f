"""Which codecs a build of ffmpeg can decode, asked once a process (30 ms).

A codec that no build decodes is told to the uploader in `source`, before the encode. Whether a given stream decodes shows only
in decoding it: the list says nothing about damage.
"""

import re
from pathlib import Path
from typing import Final

from marquee.media.programs import process

_LINE: Final = re.compile(r"^ (?P<decodes>[D.])[E.][A-Z].{3} (?P<codec>\S+)", re.MULTILINE)
_decodable: Final[dict[Path, frozenset[str]]] = {}


async def decodable_codecs(program: Path) -> frozenset[str]:
    """The codecs, by the names that ffprobe gives them, that the ffmpeg `program` can decode."""
    if program not in _decodable:
        listed = await process.run([str(program), "-hide_banner", "-codecs"], timeout_seconds=30)
        found = _LINE.finditer(listed.stdout.decode(errors="replace"))
        _decodable[program] = frozenset(one["codec"] for one in found if one["decodes"] == "D")
    return _decodable[program]
