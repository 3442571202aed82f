"""Decides which mono streams are the channels of one recording, and which are versions of their own. Pure.

Joining needs evidence. One language is none: a commentary would play in the right ear. `recordings` has the table.
`mixes` forms the mixes, and a note tells every guess.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from marquee.documents import AudioStream

_PRODUCTION_CONTAINERS: Final = frozenset({"mxf", "gxf", "mxf_opatom", "dv"})
_QUICKTIME_BRANDS: Final = frozenset({"qt", ""})
"""A file without a brand is an old QuickTime film."""
_MAX_LENGTH_DIFFERENCE_SECONDS: Final = 0.25
_MAX_RATE_RATIO: Final = 1.5
"""Channels of one recording are encoded alike. A version with speech alone may have half the bits."""

_LEFT: Final = (
    "left channel|linker kanal|vänster|venstre|vasen|lew[ya]|lev[ýá]|ľavý|bal|sol|stânga|esquerra|лев(?:ый|ая)|л|лівий|"
    "αριστερ[άό]|左(?:声道|聲道|チャンネル)?|왼쪽|좌|يسار|שמאל"
)
_RIGHT: Final = (
    "right channel|rechter kanal|höger|højre|høyre|oikea|praw[ya]|prav[ýá]|jobb|sağ|dreapta|dreta|прав(?:ый|ая)|п|правий|"
    "δεξι[άό]|右(?:声道|聲道|チャンネル)?|오른쪽|우|يمين|ימין"
)
_SIDES: Final = r"(?:front|vorne|avant)?[ -]?"
_BACK: Final = r"(?:surround|side|hinten|arri[èe]re)"
_PLACES: Final[tuple[tuple[str, str], ...]] = (
    ("BL", r"bl|lb|lrs|(?:rear|back)[ -]?left|left[ -]?(?:rear|back)(?:[ -]surround)?"),
    ("BR", r"br|rb|rrs|(?:rear|back)[ -]?right|right[ -]?(?:rear|back)(?:[ -]surround)?"),
    ("SL", rf"ls|sl|lss|{_BACK}[ -]?left|left[ -]?{_BACK}|links[ -]?hinten|hinten[ -]?links|arri[èe]re gauche"),
    ("SR", rf"rs|sr|rss|{_BACK}[ -]?right|right[ -]?{_BACK}|rechts[ -]?hinten|hinten[ -]?rechts|arri[èe]re droite"),
    ("LFE", r"lfe|sub|subwoofer|low frequency effects"),
    ("DL", r"lt|left total"),
    ("DR", r"rt|right total"),
    ("FL", rf"l|fl|lf|{_SIDES}left|left[ -]?front|links|gauche|izquierd[ao]|sinistr[ao]|esquerd[ao]|{_LEFT}"),
    ("FR", rf"r|fr|rf|{_SIDES}right|right[ -]?front|rechts|droite|derech[ao]|destr[ao]|direit[ao]|{_RIGHT}"),
    ("FC", r"c|fc|center|centre|mitte|centro"),
)  # fmt: skip
_PLACE: Final = re.compile(
    r"(?:^|(?<=[\s._\-:(\[]))(?:" + "|".join(rf"(?P<{name}>{words})" for name, words in _PLACES) + r")(?=[)\]]?$)",
    re.IGNORECASE,
)
"""A place at the end of a title: `Left`, `Commentary - R`, `A2 (LFE)`."""
_CHANNEL: Final = re.compile(r"(?:channel|chan|ch|kanal|canal)[ ._#-]*(\d{1,2})$", re.IGNORECASE)
_NUMBERED: Final = re.compile(
    r"(?:(?:audio|sound|track|stream|mono|channel|chan|ch|a|kanal|canal|spur|piste|pcm)[ ._#-]*)*\d{0,2}$",
    re.IGNORECASE,
)
"""A title that only counts, or says what every track is: it tells no versions apart."""
_NAMES: Final = frozenset(name for name, _ in _PLACES)
_ORDER: Final = ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR")
_LAYOUTS: Final = {
    ("FL", "FR"): "stereo",
    ("FL", "FR", "FC"): "3.0",
    ("FL", "FR", "BL", "BR"): "quad",
    ("FL", "FR", "FC", "BL", "BR"): "5.0",
    ("FL", "FR", "FC", "LFE", "BL", "BR"): "5.1",
    _ORDER: "7.1",
}
"""Sets of places that are a whole mix, in ffmpeg's order."""
_AS_BACK: Final = {"SL": "BL", "SR": "BR"}
"""Of a mix with one pair of surround channels, it does not matter what they are called."""


class Recording(NamedTuple):
    """Mono streams that are the channels of one recording, in the order of `layout`. `left_out`: streams without a place."""

    streams: tuple[AudioStream, ...]
    layout: str
    owner: int
    """The lowest index of all streams that were judged together. The stereo and the surround mix of one film share it."""
    guessed: bool
    """True where the container's convention decides, and not what the tracks say."""
    left_out: tuple[AudioStream, ...] = ()


def is_production_container(container: str, brand: str = "") -> bool:
    """Whether cameras and editors store each channel in a track of its own here: MXF, GXF, DV and QuickTime (not MP4)."""
    names = set(container.split(","))
    return bool(names & _PRODUCTION_CONTAINERS) or ("mov" in names and brand.strip() in _QUICKTIME_BRANDS)


def recordings(streams: Sequence[AudioStream], *, production: bool) -> tuple[list[Recording], list[AudioStream]]:
    r"""(recordings made of several mono streams, mono streams of one language that are kept apart for want of evidence).

    | evidence | decision |
    |---|---|
    | each track states its place (layout FL, title `Left`), and the places are a whole layout | one recording |
    | 2, 6 or 8 tracks are titled `Ch 1`, `Channel 2` ... without a gap | one recording, by number |
    | `production` container, and the tracks are alike: language, codec, sampling rate, begin, length, bit rate within half; \
      no role, no title but a number | one recording, by convention |
    | one of these differs | versions |
    | Matroska, MP4, MPEG-TS and others, with nothing of the above: OBS, rips and broadcasts store versions so | versions |

    By number and by convention: two are left and right; six are 5.1 in the order of SMPTE ST 428-12 (L R C LFE Ls Rs); eight
    are such a 5.1 and its stereo mix, as studios deliver; of any other number the first two are left and right (EBU R 123),
    and the others are left out.
    """
    mono = [one for one in streams if one.channels == 1]
    found: list[Recording] = []
    for group in _grouped(mono).values():
        found += _by_places(group)
    rest = _without(mono, found)
    for group in _by_language(rest):
        numbers = [_channel_number(one) for one in group]
        if len(group) in {2, 6, 8} and numbers == list(range(1, len(group) + 1)) and _alike(group):
            found += _by_convention(group, guessed=False)
    rest = _without(mono, found)
    apart: list[AudioStream] = []
    for group in _by_language(rest):
        if len(group) < 2:
            continue
        if production and _alike(group) and all(one.role == "main" and _says_nothing(one.title) for one in group):
            found += _by_convention(group, guessed=True)
        else:
            apart += [one for one in group if one.role == "main" and _says_nothing(one.title)]
    return sorted(found, key=lambda one: one.owner), apart


def place(stream: AudioStream) -> str | None:
    """The loudspeaker of a mono stream, by its layout (`1 channels (FL)`, `FL`) or else its title; None if neither says."""
    layout = (stream.channel_layout or "").upper()
    stated = re.fullmatch(r"(?:1 CHANNELS \()?([A-Z]{2,3})\)?", layout)
    if stated and stated[1] in _NAMES:
        return stated[1]
    titled = _PLACE.search((stream.title or "").strip())
    return titled.lastgroup if titled else None


def _grouped(mono: Sequence[AudioStream]) -> dict[tuple[str, str, str], list[AudioStream]]:
    """Streams that may be channels of one recording, by language, role, and what their titles say beside the place."""
    groups: dict[tuple[str, str, str], list[AudioStream]] = defaultdict(list)
    for one in mono:
        title = _PLACE.sub("", (one.title or "").strip()).strip(" .-_:()[]").lower()
        groups[one.language, one.role, "" if _says_nothing(title) else title].append(one)
    return groups


def _by_places(group: Sequence[AudioStream]) -> list[Recording]:
    """The recordings of a group whose streams all state their place: one layout, or one and its stereo mix (Lt, Rt)."""
    placed = [(place(one), one) for one in group]
    by_place = {where: one for where, one in placed if where}
    if len(by_place) != len(group):
        return []
    if "BL" not in by_place:
        by_place = {_AS_BACK.get(where, where): one for where, one in by_place.items()}
    owner = min(one.index for one in group)
    found = []
    if "DL" in by_place and "DR" in by_place:
        found.append(Recording((by_place.pop("DL"), by_place.pop("DR")), "stereo", owner, guessed=False))
    if by_place:
        places = tuple(one for one in _ORDER if one in by_place)
        layout = _LAYOUTS.get(places)
        if layout is None or len(places) != len(by_place):
            return []
        found.append(Recording(tuple(by_place[one] for one in places), layout, owner, guessed=False))
    return found


def _by_convention(group: Sequence[AudioStream], *, guessed: bool) -> list[Recording]:
    owner = group[0].index
    if len(group) == 6:
        return [Recording(tuple(group), "5.1", owner, guessed)]
    if len(group) == 8:
        return [
            Recording(tuple(group[6:]), "stereo", owner, guessed),
            Recording(tuple(group[:6]), "5.1", owner, guessed),
        ]
    return [Recording(tuple(group[:2]), "stereo", owner, guessed, tuple(group[2:]))]


def _without(mono: Sequence[AudioStream], found: Sequence[Recording]) -> list[AudioStream]:
    used = {one.index for recording in found for one in recording.streams}
    return [one for one in mono if one.index not in used]


def _by_language(mono: Sequence[AudioStream]) -> list[list[AudioStream]]:
    groups: dict[str, list[AudioStream]] = defaultdict(list)
    for one in mono:
        groups[one.language].append(one)
    return list(groups.values())


def _channel_number(stream: AudioStream) -> int | None:
    found = _CHANNEL.fullmatch((stream.title or "").strip())
    return int(found[1]) if found else None


def _says_nothing(title: str | None) -> bool:
    return _NUMBERED.fullmatch((title or "").strip()) is not None


def _alike(group: Sequence[AudioStream]) -> bool:
    """Whether streams are stored alike: codec, sampling rate, begin, length, and bit rate within half. 0 is unknown."""
    first = group[0]
    lengths = [one.duration_seconds for one in group if one.duration_seconds]
    rates = [one.bitrate_bps for one in group if one.bitrate_bps]
    starts = [one.start_seconds for one in group]
    return (
        all((one.codec, one.sample_rate, one.role) == (first.codec, first.sample_rate, first.role) for one in group)
        and max(starts) - min(starts) <= _MAX_LENGTH_DIFFERENCE_SECONDS
        and (not lengths or max(lengths) - min(lengths) <= _MAX_LENGTH_DIFFERENCE_SECONDS)
        and (not rates or max(rates) <= _MAX_RATE_RATIO * min(rates))
    )
