"""Makes a film's title from its file's name, for a film that is uploaded without a title."""

from pathlib import PurePosixPath
from typing import Final

MAX_TITLE_CHARACTERS: Final = 200


def title_of(file_name: str) -> str:
    """The title: `big_buck_bunny.final.mp4` becomes `big buck bunny final`, at most `MAX_TITLE_CHARACTERS` long.

    A name without a word in it is returned as it is.
    """
    words = PurePosixPath(file_name).stem.replace("_", " ").replace(".", " ").split()
    return (" ".join(words) or file_name)[:MAX_TITLE_CHARACTERS]
