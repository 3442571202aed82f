"""Decides what a sound track is for: the film's own sound, a dub, a commentary, a description. Pure.

The container's flags decide: dispositions of Matroska and MP4, the audio type of a transport stream, as ffprobe names them.
Where no flag is set, the title is read for a bounded list of words in English, French, German, Spanish, Italian and
Portuguese. A role by its title is a guess, which `source_notes` tells. `mixes` and the manifests use the role.
"""

import re
import unicodedata
from collections.abc import Collection
from typing import Final, NamedTuple

from marquee.documents import AudioRole

_BY_FLAG: Final[tuple[tuple[str, AudioRole], ...]] = (
    ("visual_impaired", "description"),
    ("descriptions", "description"),
    ("comment", "commentary"),
    ("hearing_impaired", "clear-dialogue"),
    ("clean_effects", "no-dialogue"),
    ("karaoke", "no-dialogue"),
    ("dub", "dub"),
)
"""The first flag that is set decides: a described track may also be a dub, and must not be played to everybody."""


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)", re.IGNORECASE)


_BY_TITLE: Final[tuple[tuple[re.Pattern[str], AudioRole], ...]] = (
    (
        _words(
            r"audio[ -]?descri(?:ption|bed|ptive)s?",
            r"descriptive(?: audio| video| service| track| narration)*",
            r"described(?: audio| video)*",
            r"(?:video|visual) description",
            r"dvs",
            r"visually impaired",
            r"audio[ -]?description",
            r"descriptions? audio",
            r"audio[ -]?deskription|h[öo]rfilm(?:fassung)?",
            r"audio[ -]?descripci[óo]n|audio[ -]?descrizione|audio[ -]?descri[çc][ãa]o",
        ),
        "description",
    ),
    (re.compile(r"(?<!\w)AD(?!\w)"), "description"),  # as capitals only: "ad" is also an advertisement
    (
        _words(
            r"comment|comments|commentar(?:y|ies)|commentators?",
            r"commentaires?(?: audio)?",
            r"(?:audio|regie)?[ -]?kommentare?",
            r"comentarios?|coment[áa]rios?|commento|commenti",
        ),
        "commentary",
    ),
    (
        _words(
            r"clean audio|clear dialogu?e|dialogu?e enhanced|enhanced dialogu?e|(?:hearing|hard of hearing)[ -]impaired",
            r"hard of hearing|malentendants?|klare sprache",
        ),
        "clear-dialogue",
    ),
    (
        _words(
            r"m ?& ?e|m and e|music (?:and|&) effects|music & fx|isolated score|score only|karaoke|instrumental|clean effects",
            r"musiques? et (?:effets|bruitages)",
        ),
        "no-dialogue",
    ),
)


class Role(NamedTuple):
    """What a track is for. `guessed`: by its title."""

    name: AudioRole
    guessed: bool = False


def role_of(flags: Collection[str], *titles: str | None) -> Role:
    """A track's role by its flags (ffmpeg's names of dispositions), else by the first of `titles` that names one."""
    for flag, role in _BY_FLAG:
        if flag in flags:
            return Role(role)
    for title in titles:
        if title and (named := named_role(title)):
            return Role(named, guessed=True)
    return Role("main")


def named_role(title: str) -> AudioRole | None:
    """The role that a title names; None if it names none."""
    plain = unicodedata.normalize("NFC", title).replace("_", " ")
    return next((role for pattern, role in _BY_TITLE if pattern.search(plain)), None)


def without_role(title: str) -> str:
    """The title without the words that name a role."""
    rest = unicodedata.normalize("NFC", title).replace("_", " ")
    for pattern, _ in _BY_TITLE:
        rest = pattern.sub(" ", rest)
    return rest


ROLE_LABELS: Final[dict[AudioRole, str]] = {
    "main": "",
    "dub": "",
    "commentary": "commentary",
    "description": "audio description",
    "clear-dialogue": "clear dialogue",
    "no-dialogue": "music and effects",
}
"""What a player's menu says beside the language. A dub says nothing: its language tells it."""


def is_main(role: AudioRole) -> bool:
    """Whether a track tells the film to everybody, and so may be what a viewer hears without choosing."""
    return role in {"main", "dub"}
