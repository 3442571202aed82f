"""What a film is called that is given no title: made from its file's name."""

from pathlib import PurePosixPath
from typing import Final

MAX_TITLE_CHARACTERS: Final = 200


def title_of(file_name: str) -> str:
    """`big_buck_bunny.final.mp4` is `big buck bunny final`; a name without a word in it is its own title."""
    words = PurePosixPath(file_name).stem.replace("_", " ").replace(".", " ").split()
    return (" ".join(words) or file_name)[:MAX_TITLE_CHARACTERS]
