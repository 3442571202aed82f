"""What all notes with one code have in common. `kinds`, `kinds_of_sound` and `kinds_of_text` list them."""

from typing import Final, Literal, NamedTuple, get_args

Severity = Literal["info", "warning", "serious"]
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
"""From the least to the most severe."""


class NoteKind(NamedTuple):
    """What all notes with one code have in common."""

    stage: str
    """The first stage that knows."""
    severity: Severity
    sentence: str
    """A template: the names in braces are the note's figures."""
    remedy: str | None = None
    """What the uploader can do. None if the film is not to blame: such a note cannot be chosen as a refusal."""
    for_viewers: str | None = None
    """The sentence for viewers. None: the note does not concern them."""
