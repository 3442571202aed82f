"""Apple's authoring rules: a title of ours keeps each, a mutant that breaks one is found by its number, no rule is forgotten."""

import re
from collections.abc import Callable
from fractions import Fraction
from itertools import chain

import msgspec
import pytest

from marquee.documents import PackagedStream, StreamsDocument, SubtitlesDocument, keys
from marquee.media.package import verify
from marquee.media.package.authoring import NOT_CHECKED, RULES
from tests.harness.media.packaging import Title, a_plan, published

MASTER = keys.MASTER_PLAYLIST
LAST_OF_SECTION = {1: 37, 2: 28, 3: 4, 4: 8, 5: 11, 6: 17, 7: 8, 8: 24, 9: 19}
"""The last number of each of the specification's sections on content."""


class Case:
    """A title's texts, sizes and documents, to be changed."""

    def __init__(self, title: Title) -> None:
        out, self.streams, self.subtitles = title
        self.texts, self.sizes = published(out)

    def replace(self, name: str, pattern: str, by: str) -> None:
        """Replace all matches in the texts whose path contains `name`; one must match."""
        found = 0
        for path, text in self.texts.items():
            if name in path:
                self.texts[path], count = re.subn(pattern, by, text)
                found += count
        assert found, f"{pattern} is in no text of {name}: the mutant would be the title itself"

    def findings(self) -> tuple[list[str], list[str]]:
        """(findings, recommendations)."""
        found = verify.title_findings(
            a_plan(Fraction(25), 475), self.streams, self.subtitles, texts=self.texts, sizes=self.sizes
        )
        return found, verify.title_recommendations(self.streams, self.subtitles, texts=self.texts, sizes=self.sizes)


@pytest.fixture
def case(title: Title) -> Case:
    return Case(title)


def _in_master(pattern: str, by: str) -> Callable[[Case], None]:
    return lambda case: case.replace(MASTER, pattern, by)


def _in_media(name: str, pattern: str, by: str) -> Callable[[Case], None]:
    return lambda case: case.replace(name, pattern, by)


def _video(**changed: object) -> Callable[[Case], None]:
    """Change the first video track's document."""

    def change(case: Case) -> None:
        first, *others = case.streams.video
        case.streams = msgspec.structs.replace(case.streams, video=[msgspec.structs.replace(first, **changed), *others])

    return change


def _described(case: Case) -> None:
    tracks = [msgspec.structs.replace(one, role="description") for one in case.streams.audio]
    case.streams = msgspec.structs.replace(case.streams, audio=tracks)


def _autoselect_no(case: Case) -> None:
    case.replace(
        MASTER, r'AUTOSELECT=YES,CHANNELS="2"', 'AUTOSELECT=NO,CHARACTERISTICS="public.accessibility.describes-video"'
    )


def _sdh(case: Case) -> None:
    tracks = [msgspec.structs.replace(one, hearing_impaired=True) for one in case.subtitles.tracks]
    case.subtitles = msgspec.structs.replace(case.subtitles, tracks=tracks)


def _loud(case: Case) -> None:
    tracks = [msgspec.structs.replace(one, average_bps=300_000) for one in case.streams.audio]
    case.streams = msgspec.structs.replace(case.streams, audio=tracks)


def _longer_grid(case: Case) -> None:
    first = case.streams.video[0]
    _video(segment_seconds=[first.segment_seconds[0] + 1, *first.segment_seconds[1:]])(case)


MUTANTS: list[tuple[str, Callable[[Case], None]]] = [
    ("1.1", _in_master(r"avc1\.64", "vp09.64")),
    ("1.3b", _in_master(r"avc1\.64", "avc1.7A")),
    ("1.6", _in_master(r"avc1\.640[0-9A-F]+", "hvc1.4.10.L120.90")),
    ("1.10", _in_master(r"avc1\.", "avc3.")),
    ("1.12", _in_master(r"avc1\.640[0-9A-F]+", "av01.0.00M.10")),
    ("1.13", _in_media("90p/iframes", r"EXTINF:2\.0", "EXTINF:4.0")),
    ("1.18", _in_master(r"FRAME-RATE=25\.000", "FRAME-RATE=26.000")),
    ("1.19", _in_master(r"FRAME-RATE=25\.000", "FRAME-RATE=61.000")),
    ("1.24", _in_master("VIDEO-RANGE=SDR", "VIDEO-RANGE=PQ")),
    ("1.26", _in_master(r"AVERAGE-BANDWIDTH=(\d)", r"AVERAGE-BANDWIDTH=1\1")),
    ("1.27", _in_master(r"([:,])BANDWIDTH=(\d)", r"\1BANDWIDTH=1\2")),
    ("1.30", _in_master(r"AVERAGE-BANDWIDTH=\d+", "AVERAGE-BANDWIDTH=1000")),
    ("1.32", _in_master(r"\A([\s\S]*?)AVERAGE-BANDWIDTH=\d+", r"\1AVERAGE-BANDWIDTH=9000000")),
    ("1.33", _in_master("RESOLUTION=160x90", "RESOLUTION=160x120")),
    ("2.2", _in_master(r"mp4a\.40\.2", "opus")),
    ("2.3", _in_master('CHANNELS="2"', 'CHANNELS="6"')),
    ("2.9", _loud),
    ("2.12", _described),
    ("2.13", _autoselect_no),
    ("4.5", _sdh),
    (
        "4.6",
        _in_master(
            r"TYPE=SUBTITLES(.*)AUTOSELECT=YES",
            r'TYPE=SUBTITLES\1CHARACTERISTICS="public.accessibility.transcribes-spoken-dialog"',
        ),
    ),
    ("5.3", _in_media("captions.vtt", "X-TIMESTAMP-MAP", "X-OTHER")),
    ("5.5", _in_media("text/en/index", r"EXTINF:19", "EXTINF:18")),
    ("5.11", _in_master(r"AUTOSELECT=YES,FORCED=NO", "AUTOSELECT=NO,FORCED=YES")),
    ("6.1", _in_master(r"#EXT-X-I-FRAME-STREAM-INF.*90p.*\n", "")),
    ("6.3", _in_media("90p/iframes", r"#EXTINF.*\n#EXT-X-BYTERANGE.*\nseg_00001.*\n", "")),
    ("6.8", _in_media("90p/iframes", "#EXT-X-I-FRAMES-ONLY\n", "")),
    ("6.9", _in_media("90p/iframes", r"BYTERANGE:(\d+)@", r"BYTERANGE:2\1@")),
    ("7.5", _in_media("90p/index", "TARGETDURATION:6", "TARGETDURATION:7")),
    ("7.6", _in_media("90p/index", r"EXTINF:6\.0", "EXTINF:9.0")),
    ("7.7", _in_media("90p/index", "TARGETDURATION:6", "TARGETDURATION:5")),
    ("8.1", _in_media("90p/index", r"EXTINF:6\.0", "EXTINF:6.1")),
    ("8.2", _in_media("90p/index", "TARGETDURATION:6", "TARGETDURATION:8")),
    ("8.3", _in_media("90p/index", r"EXTINF:6\.0", "EXTINF:6.1")),
    ("8.6", _in_media("90p/index", "#EXT-X-PLAYLIST-TYPE:VOD\n", "")),
    ("8.10", _in_master(r'LANGUAGE="fr",', "")),
    ("8.20", _in_media("90p/index", "#EXT-X-MAP.*\n", "")),
    ("8.22", _longer_grid),
    ("9.1", _in_master(r'INF:(.*),CODECS="avc[^"]*mp4a[^"]*"', r"INF:\1")),
    ("9.2", _in_master(r"RESOLUTION=\d+x\d+,FRAME", "FRAME")),
    ("9.3", _in_master(r'CODECS="avc1[^",]*",', "")),
    ("9.4", _in_master(r"RESOLUTION=\d+x\d+,VIDEO-RANGE", "VIDEO-RANGE")),
    ("9.7", _in_master(r',AUDIO="stereo"', "")),
    ("9.11", _in_master("#EXT-X-INDEPENDENT-SEGMENTS\n", "")),
    ("9.14", _in_master(r"AVERAGE-BANDWIDTH=\d+,", "")),
    ("9.15", _in_master(r"FRAME-RATE=[\d.]+,", "")),
    ("9.16", _in_master(r"VIDEO-RANGE=SDR,", "")),
]


def test_a_title_keeps_every_rule(case: Case) -> None:
    findings, recommendations = case.findings()
    assert findings == []
    assert recommendations == []


@pytest.mark.parametrize(("number", "break_it"), MUTANTS, ids=[number for number, _ in MUTANTS])
def test_a_mutant_is_found_by_the_rules_number(case: Case, number: str, break_it: Callable[[Case], None]) -> None:
    break_it(case)
    findings, recommendations = case.findings()
    rule = next(one for one in RULES if one.number == number)
    told = findings if rule.severity == "MUST" else recommendations
    named = [one for one in told if one.startswith(f"Apple's authoring rule {number}: ")]
    assert named, f"{number} is not found; found: {findings + recommendations}"
    assert all(one.endswith(".") for one in named)


def test_every_rule_has_a_mutant_and_every_number_is_checked_or_explained() -> None:
    numbers = [one.number for one in RULES]
    assert [number for number, _ in MUTANTS] == numbers
    assert not set(numbers) & set(NOT_CHECKED)
    known = {re.sub("[a-z]$", "", number) for number in chain(numbers, NOT_CHECKED)}
    wanted = {f"{section}.{rule}" for section, last in LAST_OF_SECTION.items() for rule in range(1, last + 1)}
    assert known == wanted


def test_a_title_of_an_earlier_release_is_not_failed_for_what_its_streams_say(case: Case) -> None:
    """Such a version is made searchable and published again without a new encode: its playlists stay as they were stored."""

    def stored(one: PackagedStream) -> PackagedStream:
        return msgspec.structs.replace(one, key_frames=None, iframe_average_bps=None, colours=None)

    streams: StreamsDocument = msgspec.structs.replace(case.streams, video=[stored(one) for one in case.streams.video])
    case.streams = streams
    case.subtitles = msgspec.structs.replace(
        case.subtitles, tracks=[msgspec.structs.replace(one, size_bytes=None) for one in case.subtitles.tracks]
    )
    assert isinstance(case.subtitles, SubtitlesDocument)
    # One I-frame a segment, and a target duration rounded up, as the packager wrote them.
    for name, text in case.texts.items():
        if name.endswith("index.m3u8") and "text/" not in name:
            case.texts[name] = text.replace("TARGETDURATION:6", "TARGETDURATION:7")
        if name.endswith("iframes.m3u8"):
            first = re.findall(r"#EXTINF.*\n(#EXT-X-BYTERANGE.*)\n(seg_\d+.m4s)\n", text)
            by_segment = dict(reversed([(segment, byterange) for byterange, segment in first]))
            head = text.split("#EXTINF")[0].replace("TARGETDURATION:2", "TARGETDURATION:7")
            track = next(one for one in streams.video if one.iframe_playlist == name)
            rows = [
                f"#EXTINF:{seconds:.3f},\n{by_segment[path.rsplit('/', 1)[1]]}\n{path.rsplit('/', 1)[1]}\n"
                for path, seconds in zip(track.segments, track.segment_seconds, strict=True)
            ]
            case.texts[name] = head + "".join(rows) + "#EXT-X-ENDLIST\n"
            measured = max(8 * int(row.split(":")[2].split("@")[0]) / 6 for row in rows)
            case.replace(MASTER, rf"BANDWIDTH=\d+(,.*{re.escape(name)})", rf"BANDWIDTH={measured:.0f}\1")
    findings, recommendations = case.findings()
    assert findings == []
    assert any("Run it again from `streams` on" in one for one in recommendations), recommendations
